// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.Optional;

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

    /** The operations of training. */
    GradOps gradOps();

    /** A copy of a stored tensor in F32 that may be written to, in memory that the operations work on. */
    Tensor copy(Tensor stored, TensorArena arena);

    /** The threads that the operations are computed with; free for other work between them. */
    WorkerTeam workers();

    /** Measures the machine's limits, which takes about a second; empty if this backend has no way to. */
    Optional<MachineLimits> measureLimits();

    /** Memory whose tensors {@link #ops()} can work on. */
    TensorArena newArena();

    /**
     * A weight in the form that {@link #ops()} works best on: the given one where nothing is to be done.
     *
     * @param arena where to put a copy, if one is needed
     */
    Weight place(Weight weight, TensorArena arena);

    /** Bytes that {@link #place} makes of a stored tensor. */
    long placedBytes(DType stored, Shape shape);

    /** Likewise for a single tensor, such as an embedding table or a norm's weight. */
    Tensor place(Tensor tensor, TensorArena arena);

    /** A host copy of F32 elements; the tensor itself where it is in host memory already. */
    Tensor toHost(Tensor tensor);

    /** Whether {@link #gradOps} multiply with weights of this type as they are. */
    boolean computesWith(DType dtype);

    /**
     * Copies F32 elements from host memory, or from this backend's, into a tensor of the same shape. Where both are in host
     * memory, any type.
     */
    void write(Tensor from, Tensor to);

    @Override
    void close();
}
