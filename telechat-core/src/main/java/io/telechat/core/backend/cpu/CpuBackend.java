// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** Kernels in C or in the Vector API; weights are computed with where they lie. */
final class CpuBackend implements Backend {
    private final WorkerTeam workers;
    private final CpuOps ops;
    private final CpuOps roundingOps;
    private final CpuGradOps gradOps;

    private final KernelTier tier;

    CpuBackend(int threads, KernelTier tier) {
        this.workers = new WorkerTeam(threads);
        this.tier = tier;
        Kernels kernels = KernelTiers.of(tier);
        this.ops = new CpuOps(workers, kernels, false);
        this.roundingOps = kernels.multipliesBf16() ? new CpuOps(workers, kernels, true) : ops;
        this.gradOps = new CpuGradOps(workers, ops, kernels, KernelTiers.gradOf(tier));
    }

    @Override
    public String name() {
        return CpuBackendProvider.NAME;
    }

    @Override
    public String description() {
        String kernels = "kernels in C (" + tier + ")";
        if (tier == KernelTier.VECTOR) {
            String why = KernelTiers.nativeAbsence().isEmpty() ? "" : "; " + KernelTiers.nativeAbsence();
            kernels = "Vector API kernels of %d bits%s".formatted(CpuBackendProvider.vectorBits(), why);
        }
        return "%d threads; %s".formatted(workers.size(), kernels);
    }

    @Override
    public Ops ops() {
        return ops;
    }

    @Override
    public Ops roundingOps() {
        return roundingOps;
    }

    @Override
    public GradOps gradOps() {
        return gradOps;
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
    public WorkerTeam workers() {
        return workers;
    }

    @Override
    public Optional<MachineLimits> measureLimits() {
        KernelTier best = KernelTiers.best();
        return best == KernelTier.VECTOR
                ? Optional.empty()
                : Optional.of(new LimitProbe(workers, KernelTiers.ofNative(best)).measure());
    }

    @Override
    public TensorArena newArena() {
        return new HostArena();
    }

    @Override
    public Weight place(Weight weight, TensorArena arena) {
        return new Weight(weight.blocks(), weight.bias().map(bias -> place(bias, arena)));
    }

    @Override
    public long placedBytes(DType stored, Shape shape) {
        return stored.bytes(shape);
    }

    /** Vectors are widened to F32 once; matrices stay as they are. */
    @Override
    public Tensor place(Tensor tensor, TensorArena arena) {
        if (tensor.shape().rank() > 1 || tensor.dtype() == DType.F32) {
            return tensor;
        }
        return arena.allocate(DType.F32, tensor.shape().toArray()).setFloats(tensor.toFloats());
    }

    @Override
    public Tensor toHost(Tensor tensor) {
        return tensor;
    }

    @Override
    public boolean computesWith(DType dtype) {
        return true;
    }

    @Override
    public void write(Tensor from, Tensor to) {
        to.segment().copyFrom(from.segment());
    }

    @Override
    public void close() {
        workers.close();
        gradOps.close();
        roundingOps.close();
        ops.close();
    }
}
