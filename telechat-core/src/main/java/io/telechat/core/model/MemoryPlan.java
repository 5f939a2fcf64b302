// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import com.sun.management.OperatingSystemMXBean;
import io.telechat.core.InsufficientMemoryException;
import io.telechat.core.Message;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import java.lang.management.ManagementFactory;

/**
 * What a model needs, in bytes.
 *
 * @param weights as they are stored
 * @param cachePerToken keys and values of one position
 * @param cacheType their element type
 * @param contextLength positions that the cache is planned for
 * @param activations values between the formulas, for one pass
 */
public record MemoryPlan(long weights, long cachePerToken, DType cacheType, int contextLength, long activations) {
    /** Rows that go through the model in one pass at most; longer prompts take several passes. */
    public static final int MAX_ROWS = 512;

    public static MemoryPlan of(ModelConfig config, long weightBytes, DType cacheType, int contextLength) {
        return new MemoryPlan(
                weightBytes,
                new KvLayout(config.layers(), config.heads(), cacheType).bytesPerPosition(),
                cacheType,
                contextLength,
                Activations.bytes(config, Math.min(MAX_ROWS, contextLength)) + 4L * config.vocabSize());
    }

    /** What each of several parts of the model needs, about evenly. */
    public MemoryPlan dividedBy(int parts) {
        return new MemoryPlan(
                weights / parts, Math.max(1, cachePerToken / parts), cacheType, contextLength, activations);
    }

    public long cache() {
        return cachePerToken * contextLength;
    }

    public long total() {
        return weights + cache() + activations;
    }

    /** How many positions {@code available} bytes have room for; none if not even the weights fit. */
    public long longestContext(long available) {
        return Math.max(0, (available - weights - activations) / cachePerToken);
    }

    /** Memory of this machine, or of the container that we run in. */
    public static long machineMemory() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    }

    /** @throws InsufficientMemoryException with the bill and what would fit, if {@code available} bytes are too few */
    public void require(String model, long available) {
        if (total() <= available) {
            return;
        }
        Message fix;
        long room = longestContext(available);
        if (room > 0) {
            boolean halfFits = cacheType == DType.F32 && total() - cache() / 2 <= available;
            fix = halfFits
                    ? Message.of("--context-length %d would fit, or --kv-cache bf16", room)
                    : Message.of("--context-length %d would fit", room);
        } else {
            fix = Message.of(
                    "use a model of at most %s, or a machine with %s",
                    gib(Math.max(0, available - activations - cachePerToken)), gib(total()));
        }
        throw new InsufficientMemoryException(
                "%s: needs %s = weights %s + cache of %,d tokens %s + activations %s, but this machine has %s; %s",
                model, gib(total()), gib(weights), contextLength, gib(cache()), gib(activations), gib(available), fix);
    }

    /** {@code "105.7 GiB"}, in the largest unit that the size has one of. */
    public static String gib(long bytes) {
        if (bytes < 1L << 20) {
            return "%.1f KiB".formatted(bytes / 1024.0);
        }
        return bytes < 1L << 30 ? "%.1f MiB".formatted(bytes / 1048576.0) : "%.1f GiB".formatted(bytes / 1073741824.0);
    }
}
