// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.model.CausalLm;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.KvCache;
import io.telechat.core.tensor.DType;
import io.telechat.infer.engine.Drafter;
import io.telechat.infer.sampling.Sampler;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;

/** Guesses what a smaller model of the same vocabulary finds likeliest. Closes that model. */
final class ModelDrafter implements Drafter {
    private final CausalLm model;
    private final BlockPool pool;
    private final ModelRunner runner;
    private final Map<Object, Read> bySequence = new IdentityHashMap<>();

    ModelDrafter(CausalLm model, DType cacheType) {
        this.model = model;
        this.pool = model.newPool(cacheType, BlockPool.UNBOUNDED);
        this.runner = new ModelRunner(model);
    }

    /** What the model has read of a sequence. */
    private static final class Read {
        private final KvCache cache;
        private int[] tokens = new int[0];

        private Read(KvCache cache) {
            this.cache = cache;
        }
    }

    @Override
    public int[] draft(Object sequence, int[] tokens, int length, int most) {
        int room = model.config().maxContextLength() - length;
        int[] guesses = new int[Math.max(0, Math.min(most, room))];
        if (guesses.length == 0) {
            return guesses;
        }
        Read read = bySequence.computeIfAbsent(sequence, s -> new Read(KvCache.in(pool)));
        int[] text = Arrays.copyOf(tokens, length + guesses.length);
        int common = Arrays.mismatch(read.tokens, 0, read.cache.length(), text, 0, length - 1);
        read.cache.truncate(common < 0 ? Math.min(read.cache.length(), length - 1) : common);
        for (int i = 0; i < guesses.length; i++) {
            int[] unread = Arrays.copyOfRange(text, read.cache.length(), length + i);
            guesses[i] = Sampler.argmax(runner.feed(unread, read.cache));
            text[length + i] = guesses[i];
        }
        read.tokens = text;
        return guesses;
    }

    @Override
    public void forget(Object sequence) {
        Read read = bySequence.remove(sequence);
        if (read != null) {
            read.cache.close();
        }
    }

    @Override
    public void close() {
        pool.close();
        runner.close();
        model.close();
    }
}
