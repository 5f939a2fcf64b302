// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.pointers.PagedPointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Tensors as ND4J arrays: ND4J's own, or views of memory that ND4J neither allocated nor will free. Needs ND4J on the class path
 * (artifact {@code telechat-nd4j}).
 */
public final class ArrayView {
    private ArrayView() {}

    /**
     * A tensor as an array of the same memory; nothing is copied. It must not be used once the tensor's memory is gone.
     *
     * @throws IllegalArgumentException if its elements are of a type that ND4J does not have, or not aligned
     */
    public static INDArray array(Tensor tensor) {
        return tensor.storage() instanceof ArrayStorage own
                ? own.array()
                : of(tensor.segment(), tensor.dtype(), tensor.shape());
    }

    private static INDArray of(MemorySegment segment, DType dtype, Shape shape) {
        if (segment.address() % dtype.bytes() != 0) {
            throw new IllegalArgumentException(
                    "elements at address %x are not aligned to %d bytes".formatted(segment.address(), dtype.bytes()));
        }
        PagedPointer start = new PagedPointer(segment.address());
        Pointer pointer = switch (dtype) {
            case F32 -> start.asFloatPointer();
            case F64 -> start.asDoublePointer();
            case F16, BF16, I16 -> new ShortPointer(start);
            case I32 -> start.asIntPointer();
            case I64 -> start.asLongPointer();
            case I8, U8, BOOL -> start.asBytePointer();
            case Q8, Q4 -> throw new IllegalArgumentException("ND4J has no " + dtype);
        };
        pointer.capacity(shape.elements());
        DataType type = dataType(dtype);
        long[] dims = shape.toArray();
        return Nd4j.create(
                Nd4j.createBuffer(pointer, shape.elements(), type), dims, Nd4j.getStrides(dims, 'c'), 0, 'c', type);
    }

    static DataType dataType(DType dtype) {
        return switch (dtype) {
            case F64 -> DataType.DOUBLE;
            case F32 -> DataType.FLOAT;
            case F16 -> DataType.FLOAT16;
            case BF16 -> DataType.BFLOAT16;
            case I64 -> DataType.INT64;
            case I32 -> DataType.INT32;
            case I16 -> DataType.INT16;
            case I8 -> DataType.INT8;
            case U8 -> DataType.UINT8;
            case BOOL -> DataType.BOOL;
            case Q8, Q4 -> throw new IllegalArgumentException("ND4J has no " + dtype);
        };
    }
}
