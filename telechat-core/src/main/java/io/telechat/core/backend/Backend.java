// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.comm.Communicator;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.workers.WorkerTeam;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** One way to compute the formulas: the operations, the memory they work in, and the threads that do it. */
public interface Backend extends AutoCloseable {
    /** Short name, as on the command line: {@code cpu}, {@code nd4j}. */
    String name();

    /** One line for people: which kernels, how many threads, and why these. */
    String description();

    Ops ops();

    /**
     * Likewise, but what BF16 weights are multiplied with may be rounded to BF16 too, as inference in half precision does
     * everywhere. The same operations where that would not be faster.
     */
    default Ops roundingOps() {
        return ops();
    }

    /** The forward formulas in the form that is fastest for many tokens at once, and for spans without a cache. */
    default Ops trainingOps() {
        return ops();
    }

    /** The backward formulas, the loss and the optimizer. */
    GradOps gradOps();

    /**
     * {@link #trainingOps} for parameters of this type: what BF16 ones are multiplied with may be rounded to BF16, too. The same
     * operations where that would not be faster.
     */
    default Ops trainingOps(DType parameters) {
        return trainingOps();
    }

    /** {@link #gradOps} likewise. */
    default GradOps gradOps(DType parameters) {
        return gradOps();
    }

    /**
     * The type of what a forward pass keeps for the backward pass between the products, beside parameters of this type; the
     * formulas for these take tensors of it for queries, keys and values, for what attention gives, and for gates and what is gated.
     * What is added up, the residual stream and the gradients that go back along it, is F32 always.
     */
    default DType activations(DType parameters) {
        return DType.F32;
    }

    /** Whether {@link #trainingOps} and {@link #gradOps} multiply with weights of this type as they are. */
    boolean computesWith(DType dtype);

    /** The types of keys and values in caches that {@link Ops#attention} reads. */
    default List<DType> cacheTypes() {
        return List.of(DType.F32, DType.F16, DType.BF16);
    }

    /** @throws InvalidRequestException unless caches may be of this type */
    default void requireCacheType(DType type) {
        if (!cacheTypes().contains(type)) {
            throw new InvalidRequestException(
                    "the backend '%s' has no key/value cache of %s: use --kv-cache %s, or --backend cpu",
                    name(), type, cacheTypes().stream().map(DType::toString).collect(Collectors.joining("|")));
        }
    }

    /** The memory that all these work in. */
    DeviceMemory memory();

    /**
     * Connects its device with those of other ranks, all of which do so: from then on the communicator takes tensors of its memory.
     * Backends that compute in the memory of this process have nothing to connect.
     *
     * @throws io.telechat.core.InvalidRequestException on all ranks, if their devices cannot be connected
     */
    default void connect(Communicator ranks) {
        if (!memory().isOnHost()) {
            throw new InvalidRequestException(
                    "the backend '%s' cannot work on several ranks: use --backend cpu or cuda", name());
        }
    }

    /** What finds the highest logits on a device; empty where whole rows are as near. */
    default Optional<TopSelector> topSelector() {
        return Optional.empty();
    }

    /** The threads that the operations are computed with; free for other work between them. */
    WorkerTeam workers();

    /** Measures the machine's limits, which takes about a second; empty if this backend has no way to. */
    Optional<MachineLimits> measureLimits();

    /** Of these, operations per second alone: in a fifth of the time, and without touching memory. */
    OptionalDouble measureFlops();

    /** Those of the products of {@link #trainingOps(DType)} and {@link #gradOps(DType)}. */
    default OptionalDouble measureFlops(DType parameters) {
        return measureFlops();
    }

    @Override
    void close();
}
