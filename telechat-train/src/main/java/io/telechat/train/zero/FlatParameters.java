// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.Pending;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.train.optimizer.Trained;
import java.util.ArrayList;
import java.util.List;

/**
 * Tensors of one type in a {@link FlatLayout}: what a rank has of their masters (F32, for the optimizer), of their values (which are
 * computed with, F32 or BF16) and of their gradients. Where nothing is rounded, the values are the masters.
 */
final class FlatParameters {
    private final FlatLayout layout;
    private final DType dtype;
    private final ZeroStage stage;
    private final Communicator ranks;
    /** Of this rank's share; without stages of all. */
    private final Tensor masters;
    /** Of all, or, if they are cut, of this rank's share. */
    private final Tensor values;
    /** Likewise. */
    private final Tensor gradients;

    /** @param masterArena for masters that are not what is computed with */
    FlatParameters(
            FlatLayout layout,
            DType dtype,
            ZeroStage stage,
            Communicator ranks,
            TensorArena arena,
            TensorArena masterArena) {
        this.layout = layout;
        this.dtype = dtype;
        this.stage = stage;
        this.ranks = ranks;
        long all = layout.share() * ranks.size();
        this.gradients = arena.allocate(DType.F32, stage.cuts(ZeroStage.GRADIENTS) ? layout.share() : all);
        this.values = arena.allocate(dtype, stage.cuts(ZeroStage.PARAMETERS) ? layout.share() : all);
        if (dtype == DType.F32) {
            this.masters = isCut(values, ZeroStage.OPTIMIZER) ? own(values) : values;
        } else {
            this.masters = masterArena.allocate(DType.F32, stage.cuts(ZeroStage.OPTIMIZER) ? layout.share() : all);
        }
    }

    FlatLayout layout() {
        return layout;
    }

    DType dtype() {
        return dtype;
    }

    /** Elements of all ranks' shares. */
    long elements() {
        return layout.share() * ranks.size();
    }

    private boolean isCut(Tensor whole, ZeroStage what) {
        return stage.cuts(what) && whole.rows() != layout.share();
    }

    private Tensor own(Tensor all) {
        return all.rows(ranks.rank() * layout.share(), (ranks.rank() + 1) * layout.share());
    }

    /** The first element of the masters, and of the optimizer's state. */
    private long mastersFrom() {
        return stage.cuts(ZeroStage.OPTIMIZER) ? ranks.rank() * layout.share() : 0;
    }

    /** What of the tensors this rank's optimizer has. */
    List<FlatLayout.Part> parts() {
        return layout.parts(mastersFrom(), mastersFrom() + masters.rows());
    }

    /** A part of the masters, for {@code layout().parts…} of this rank. */
    Tensor master(FlatLayout.Part part) {
        long from = part.offset() - mastersFrom();
        return masters.rows(from, from + part.elements());
    }

    /** What this rank's optimizer updates. */
    List<Trained> trained() {
        Tensor own = isCut(gradients, ZeroStage.OPTIMIZER) ? own(gradients) : gradients;
        List<Trained> trained = new ArrayList<>();
        for (FlatLayout.Part part : parts()) {
            long from = part.offset() - mastersFrom();
            trained.add(new Trained(
                    part.place().spec().name(),
                    part.from(),
                    part.place().elements(),
                    master(part),
                    own.rows(from, from + part.elements())));
        }
        return trained;
    }

    void clearGradients() {
        gradients.clear();
    }

    /** Where a pass adds its gradients, if all of them stay. */
    Tensor allGradients() {
        return gradients;
    }

    /** What is computed with, if all of it stays. */
    Tensor allValues() {
        return values;
    }

    /** Starts to gather the values of all ranks. */
    Pending gather(Tensor all) {
        return ranks.allGather(values, all);
    }

    /** Starts to add the sum over all ranks of a pass's gradients to this rank's share. */
    Pending scatter(Tensor all) {
        return ranks.reduceScatterAdd(all, gradients);
    }

    /** Sums gradients that have stayed whole so far, where this rank's optimizer has a use for them. */
    Pending sumGradients() {
        return stage.cuts(ZeroStage.OPTIMIZER)
                ? ranks.reduceScatter(gradients, own(gradients))
                : ranks.allReduce(gradients);
    }

    /** Brings the values up to date with the masters; all ranks do. */
    void update(GradOps ops, Rounding rounding, long seed) {
        if (dtype != DType.F32) {
            Tensor own = isCut(values, ZeroStage.OPTIMIZER) ? own(values) : values;
            for (FlatLayout.Part part : parts()) {
                long from = part.offset() - mastersFrom();
                ops.round(
                        master(part),
                        own.rows(from, from + part.elements()),
                        rounding,
                        SplitMix.seed(seed, part.offset()));
            }
            masters.leaveMemory();
        }
        if (isCut(values, ZeroStage.OPTIMIZER)) {
            ranks.allGather(own(values), values).await();
        }
    }
}
