// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrayAdapter;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An array that holds numbers. Like the arrays of DJL's other engines for inference only, it computes nothing itself: DJL has that done
 * by another engine where there is one, and by ND4J through {@link #tensor}.
 */
public final class TelechatArray extends NDArrayAdapter {
    private ByteBuffer data;

    TelechatArray(NDManager manager, NDManager alternative, ByteBuffer data, Shape shape, DataType type) {
        super(manager, alternative, shape, type, NDManager.nextUid());
        this.data = data;
        manager.attachInternal(uid, this);
    }

    /**
     * The same memory as a tensor of this library; {@link io.telechat.core.backend.nd4j.ArrayView} makes an {@code INDArray} of that.
     *
     * @throws IllegalArgumentException if it has elements of a type that this library does not have
     */
    public Tensor tensor() {
        return Tensor.over(MemorySegment.ofBuffer(data.duplicate().rewind()), dtype(dataType), shape.getShape());
    }

    private static DType dtype(DataType type) {
        return switch (type) {
            case FLOAT32 -> DType.F32;
            case FLOAT64 -> DType.F64;
            case FLOAT16 -> DType.F16;
            case BFLOAT16 -> DType.BF16;
            case INT64 -> DType.I64;
            case INT32 -> DType.I32;
            case INT16 -> DType.I16;
            case INT8 -> DType.I8;
            case UINT8 -> DType.U8;
            case BOOLEAN -> DType.BOOL;
            default -> throw new IllegalArgumentException("there is no tensor of " + type);
        };
    }

    @Override
    public ByteBuffer toByteBuffer(boolean tryDirect) {
        return data.duplicate().rewind().order(ByteOrder.nativeOrder());
    }

    @Override
    public void intern(NDArray replacement) {
        TelechatArray other = (TelechatArray) replacement;
        data = other.data;
        shape = other.getShape();
        dataType = other.getDataType();
        other.close();
    }

    @Override
    public void detach() {
        manager.detachInternal(getUid());
        manager = TelechatManager.SYSTEM;
    }

    @Override
    public void returnResource(NDManager back) {
        detach();
        manager = back;
        back.attachUncappedInternal(getUid(), this);
    }

    @Override
    public String toString() {
        return isReleased() ? "(released)" : getShape() + " " + getDataType();
    }
}
