// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** The memory of this process: matrices are computed with where they lie, vectors are widened to F32 once. */
record CpuMemory(WorkerTeam workers) implements DeviceMemory {
    @Override
    public TensorArena newArena() {
        return new HostArena();
    }

    @Override
    public Weight place(Weight weight, TensorArena arena) {
        List<Weight.Block> blocks = weight.blocks().stream()
                .map(b -> new Weight.Block(b.matrix(), b.bias().map(bias -> place(bias, arena))))
                .toList();
        return new Weight(weight.id(), blocks);
    }

    @Override
    public Tensor place(Tensor tensor, TensorArena arena) {
        if (tensor.shape().rank() > 1 || tensor.dtype() == DType.F32) {
            return tensor;
        }
        return arena.allocate(DType.F32, tensor.shape().toArray()).setFloats(tensor.toFloats());
    }

    @Override
    public long placedBytes(DType stored, Shape shape) {
        return stored.bytes(shape);
    }

    @Override
    public Tensor copy(Tensor stored, TensorArena arena) {
        Tensor copy = arena.allocate(DType.F32, stored.shape().toArray());
        boolean vector = stored.shape().rank() < 2;
        Tensor matrix = vector ? stored.reshape(1, stored.shape().elements()) : stored;
        long columns = matrix.columns();
        workers.run(Math.toIntExact(matrix.rows()), (row, worker) -> {
            float[] values = new float[Math.toIntExact(columns)];
            FloatRows.copy(matrix, row, values);
            MemorySegment.copy(values, 0, copy.segment(), ValueLayout.JAVA_FLOAT, 4 * row * columns, values.length);
        });
        return copy;
    }

    @Override
    public Tensor toHost(Tensor tensor) {
        return tensor;
    }

    @Override
    public void write(Tensor from, Tensor to) {
        to.segment().copyFrom(from.segment());
    }
}
