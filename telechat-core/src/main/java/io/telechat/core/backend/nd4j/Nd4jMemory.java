// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import static io.telechat.core.backend.nd4j.ArrayView.array;

import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J's memory; weights are copied into it as F32, because ND4J has no fast product of narrower types. */
final class Nd4jMemory implements DeviceMemory {
    /** Rows that are copied to ND4J at a time. */
    private static final int COPY_ROWS = 1024;

    @Override
    public TensorArena newArena() {
        return new ArrayArena();
    }

    /** In one piece, for one product. */
    @Override
    public Weight place(Weight weight, TensorArena arena) {
        Tensor matrix = arena.allocate(DType.F32, weight.outFeatures(), weight.inFeatures());
        Optional<Tensor> bias =
                weight.hasBias() ? Optional.of(arena.allocate(DType.F32, weight.outFeatures())) : Optional.empty();
        long row = 0;
        for (Weight.Block block : weight.blocks()) {
            long end = row + block.rows();
            fill(block.matrix(), matrix.rows(row, end));
            if (block.bias().isPresent()) {
                fill(block.bias().get(), bias.orElseThrow().rows(row, end));
            }
            row = end;
        }
        return new Weight(weight.id(), List.of(new Weight.Block(matrix, bias)));
    }

    @Override
    public Tensor place(Tensor tensor, TensorArena arena) {
        return copy(tensor, arena);
    }

    @Override
    public long placedBytes(DType stored, Shape shape) {
        return DType.F32.bytes(shape);
    }

    @Override
    public Tensor copy(Tensor stored, TensorArena arena) {
        Tensor copy = arena.allocate(DType.F32, stored.shape().toArray());
        fill(stored, copy);
        return copy;
    }

    private static void fill(Tensor from, Tensor to) {
        for (long row = 0; row < from.rows(); row += COPY_ROWS) {
            Tensor part = from.rows(row, Math.min(from.rows(), row + COPY_ROWS));
            INDArray target = array(to.rows(row, row + part.rows()));
            float[] values = part.dtype().isQuantized() ? FloatRows.of(part) : part.toFloats();
            target.assign(Nd4j.createFromArray(values).reshape(target.shape()));
        }
    }

    @Override
    public Tensor toHost(Tensor tensor) {
        if (tensor.isOnHost()) {
            return tensor;
        }
        // The garbage collector frees it: the caller holds no arena, and these are a few rows of logits.
        MemorySegment host = Arena.ofAuto().allocate(tensor.bytes(), 64);
        Tensor copy = Tensor.over(host, tensor.dtype(), tensor.shape().toArray());
        if (tensor.dtype() == DType.U8) {
            int[] values = array(tensor).castTo(DataType.INT32).dup('c').data().asInt();
            for (int i = 0; i < values.length; i++) {
                host.set(ValueLayout.JAVA_BYTE, i, (byte) values[i]);
            }
            return copy;
        }
        return copy.setFloats(array(tensor).dup('c').data().asFloat());
    }

    @Override
    public void write(Tensor from, Tensor to) {
        if (to.isOnHost()) {
            to.segment().copyFrom(from.segment());
        } else {
            array(to).assign(array(from));
        }
    }
}
