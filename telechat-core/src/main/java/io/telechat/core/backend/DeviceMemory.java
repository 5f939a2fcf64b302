// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.OptionalLong;

/** The memory that a backend's operations work in, and the ways into it and out of it. */
public interface DeviceMemory {
    /** Memory whose tensors the operations can work on. */
    TensorArena newArena();

    /** Whether its tensors are in the memory of this process. */
    default boolean isOnHost() {
        try (TensorArena arena = newArena()) {
            return arena.allocate(DType.F32, 1).isOnHost();
        }
    }

    /** Bytes of a device's memory that are free; empty where tensors are in the memory of this process. */
    default OptionalLong freeBytes() {
        return OptionalLong.empty();
    }

    /**
     * A weight in the form that the operations work best on: the given one where nothing is to be done.
     *
     * @param arena where to put a copy, if one is needed
     */
    Weight place(Weight weight, TensorArena arena);

    /** Likewise for a single tensor, such as a norm's weight. */
    Tensor place(Tensor tensor, TensorArena arena);

    /** Bytes that {@link #place} makes of a stored tensor. */
    long placedBytes(DType stored, Shape shape);

    /** A copy of a stored tensor in F32 that may be written to. */
    Tensor copy(Tensor stored, TensorArena arena);

    /** A host copy of F32 elements or of bytes (U8); the tensor itself where it is in host memory already. */
    Tensor toHost(Tensor tensor);

    /**
     * Copies F32 elements or bytes (U8) from host memory, or from this one, into a tensor of the same shape. Where both are in
     * host memory, any type.
     */
    void write(Tensor from, Tensor to);
}
