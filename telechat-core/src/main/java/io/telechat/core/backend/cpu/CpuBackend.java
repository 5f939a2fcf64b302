// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.workers.WorkerTeam;
import java.util.Optional;
import java.util.OptionalDouble;

/** Kernels in C or in the Vector API; weights are computed with where they lie. */
final class CpuBackend implements Backend {
    private final WorkerTeam workers;
    private final CpuMemory memory;
    private final CpuOps ops;
    private final CpuOps roundingOps;
    private final MatrixProducts products;
    private final SpanAttention spanAttention;
    private final CpuTrainingOps trainingOps;
    private final CpuGradOps gradOps;
    private final KernelTier tier;

    CpuBackend(int threads, KernelTier tier) {
        this.workers = new WorkerTeam(threads);
        this.memory = new CpuMemory(workers);
        this.tier = tier;
        Kernels kernels = KernelTiers.of(tier);
        GradKernels gradKernels = KernelTiers.gradOf(tier);
        this.ops = new CpuOps(workers, kernels, false);
        this.roundingOps = kernels.multipliesBf16() ? new CpuOps(workers, kernels, true) : ops;
        this.products = new MatrixProducts(workers, gradKernels);
        this.spanAttention = new SpanAttention(workers, kernels, gradKernels);
        this.trainingOps = new CpuTrainingOps(ops, gradKernels, products, spanAttention);
        this.gradOps = new CpuGradOps(workers, ops, gradKernels, products, spanAttention);
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
    public Ops trainingOps() {
        return trainingOps;
    }

    @Override
    public GradOps gradOps() {
        return gradOps;
    }

    @Override
    public boolean computesWith(DType dtype) {
        return true;
    }

    @Override
    public DeviceMemory memory() {
        return memory;
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
    public OptionalDouble measureFlops() {
        KernelTier best = KernelTiers.best();
        return best == KernelTier.VECTOR
                ? OptionalDouble.empty()
                : OptionalDouble.of(new LimitProbe(workers, KernelTiers.ofNative(best)).flops());
    }

    @Override
    public void close() {
        workers.close();
        gradOps.close();
        products.close();
        spanAttention.close();
        roundingOps.close();
        ops.close();
    }
}
