// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.backend.cpu.kernel.PackedForm;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.workers.WorkerTeam;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** Kernels in C or in the Vector API; weights are computed with where they lie. */
final class CpuBackend implements Backend {
    private final WorkerTeam workers;
    private final CpuMemory memory;
    private final CpuOps ops;
    private final CpuOps roundingOps;
    private final SpanAttention spanAttention;
    private final ActivationRows activationRows;
    private final TrainingFormulas training;
    /** Rounds what BF16 parameters are multiplied with; the same where the CPU does not multiply BF16. */
    private final TrainingFormulas roundingTraining;

    private final KernelTier tier;

    CpuBackend(int threads, KernelTier tier) {
        this.workers = new WorkerTeam(threads);
        this.memory = new CpuMemory(workers);
        this.tier = tier;
        Kernels kernels = KernelTiers.of(tier);
        GradKernels gradKernels = KernelTiers.gradOf(tier);
        this.ops = new CpuOps(workers, kernels, false);
        this.roundingOps = kernels.multipliesBf16() ? new CpuOps(workers, kernels, true) : ops;
        this.spanAttention = new SpanAttention(workers, kernels, gradKernels);
        this.activationRows = new ActivationRows(workers, gradKernels);
        this.training = new TrainingFormulas(gradKernels, PackedForm.FLOATS);
        this.roundingTraining =
                gradKernels.multipliesPairs() ? new TrainingFormulas(gradKernels, PackedForm.PAIRS) : training;
    }

    /** The formulas of training with products of one form. */
    private final class TrainingFormulas implements AutoCloseable {
        private final MatrixProducts products;
        private final CpuTrainingOps ops;
        private final CpuGradOps gradOps;

        TrainingFormulas(GradKernels kernels, PackedForm form) {
            this.products = new MatrixProducts(workers, kernels, form);
            this.ops = new CpuTrainingOps(CpuBackend.this.ops, products, spanAttention, activationRows);
            this.gradOps = new CpuGradOps(workers, ops, kernels, products, spanAttention, activationRows);
        }

        @Override
        public void close() {
            gradOps.close();
            products.close();
        }
    }

    private TrainingFormulas training(DType parameters) {
        return parameters == DType.BF16 ? roundingTraining : training;
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
        return training.ops;
    }

    @Override
    public Ops trainingOps(DType parameters) {
        return training(parameters).ops;
    }

    @Override
    public GradOps gradOps() {
        return training.gradOps;
    }

    @Override
    public GradOps gradOps(DType parameters) {
        return training(parameters).gradOps;
    }

    @Override
    public DType activations(DType parameters) {
        return parameters == DType.BF16 ? DType.BF16 : DType.F32;
    }

    @Override
    public boolean computesWith(DType dtype) {
        return true;
    }

    @Override
    public List<DType> cacheTypes() {
        return List.of(DType.F32, DType.F16, DType.BF16, DType.Q8);
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
        return measureFlops(DType.F32);
    }

    @Override
    public OptionalDouble measureFlops(DType parameters) {
        KernelTier best = KernelTiers.best();
        if (best == KernelTier.VECTOR) {
            return OptionalDouble.empty();
        }
        boolean pairs = parameters == DType.BF16 && KernelTiers.gradOf(best).multipliesPairs();
        LimitProbe probe = new LimitProbe(workers, KernelTiers.ofNative(best));
        return OptionalDouble.of(probe.flops(pairs ? PackedForm.PAIRS : PackedForm.FLOATS));
    }

    @Override
    public void close() {
        workers.close();
        training.close();
        if (roundingTraining != training) {
            roundingTraining.close();
        }
        activationRows.close();
        spanAttention.close();
        roundingOps.close();
        ops.close();
    }
}
