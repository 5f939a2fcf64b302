// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.core.model.Gradients;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Only adapters are trained. With {@code t = scale · dropout(x)·downᵀ}: {@code dUp += dyᵀ·t}, {@code dt = scale · dy·up},
 * {@code dDown += dtᵀ·dropout(x)}, {@code dx += dropout(dt·down)}.
 */
public final class LoraGradients implements Gradients, AutoCloseable {
    private final Ops ops;
    private final GradOps gradOps;
    private final LoraAdapters adapters;
    private final TensorArena arena;
    private final LoraDropout dropout;
    private final LoraOps.Scratch between;
    private final LoraOps.Scratch betweenGradients;
    private final Map<LoraWeight, Of> gradients = new IdentityHashMap<>();
    private final Tensor unwanted;

    /** The gradients of one adapter, of the shapes of its matrices. */
    private record Of(Weight down, Tensor up) {}

    /**
     * @param dropout of what the adapters are given, that of the forward pass
     * @param ops of the backend, for the products of adapters
     * @param gradOps of the backend
     */
    public LoraGradients(
            LoraAdapters adapters, LoraDropout dropout, ModelConfig model, Backend backend, Ops ops, GradOps gradOps) {
        this.ops = ops;
        this.gradOps = gradOps;
        this.adapters = adapters;
        this.dropout = dropout;
        this.arena = backend.memory().newArena();
        this.between = new LoraOps.Scratch(backend);
        this.betweenGradients = new LoraOps.Scratch(backend);
        this.unwanted =
                arena.allocate(DType.F32, Math.max(model.hidden(), model.heads().headDim()));
        for (LoraWeight adapter : adapters.all()) {
            List<Tensor> blocks = new ArrayList<>();
            adapter.down()
                    .blocks()
                    .forEach(b -> blocks.add(
                            arena.allocate(DType.F32, b.matrix().shape().toArray())));
            Tensor up = arena.allocate(DType.F32, adapter.up().shape().toArray());
            gradients.put(adapter, new Of(Weight.stacked(blocks), up));
        }
    }

    /** Gradients of {@code down}, block by block, and of {@code up}. */
    public Weight downOf(LoraWeight adapter) {
        return gradients.get(adapter).down();
    }

    public Tensor upOf(LoraWeight adapter) {
        return gradients.get(adapter).up();
    }

    /** What it has allocated for what is between the formulas. */
    long scratchBytes() {
        return between.bytes() + betweenGradients.bytes();
    }

    public void clear() {
        gradients.values().forEach(g -> {
            g.down().blocks().forEach(b -> b.matrix().clear());
            g.up().clear();
        });
    }

    /** Sets to zero what products have put where a row of {@code up} belongs to another layer; once all of them are made. */
    public void clearForeign() {
        gradients.forEach((adapter, g) -> adapter.clearForeign(g.up()));
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor dy, Tensor dx, boolean add) {
        Optional<LoraWeight> found = adapters.of(w);
        if (found.isEmpty()) {
            gradOps.linearInputGrad(dy, w, dx, add);
            return;
        }
        LoraWeight adapter = found.get();
        Of gradient = gradients.get(adapter);
        Tensor t = between.of(x.rows(), adapter.width());
        Tensor dt = betweenGradients.of(x.rows(), adapter.width());
        gradOps.linearInputGrad(dy, adapter.upWeight(), dt, false);
        ops.scale(dt, adapter.scale());
        for (int part = 0; part < dropout.parts(adapter); part++) {
            Tensor given = dropout.given(adapter, part, x);
            dropout.down(ops, adapter, part, given, t);
            dropout.downGrad(adapter, part, given, dt, gradient.down());
        }
        ops.scale(t, adapter.scale());
        gradOps.linearWeightGrad(t, dy, Weight.of(gradient.up()));
        gradOps.linearInputGrad(dy, w, dx, add); // not before: dx may be x
        dropout.inputGrad(adapter, dt, dx);
    }

    @Override
    public void norm(WeightId id, Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx) {
        gradOps.rmsNormBackward(x, weight, rstd, dy, residual, dx, unwanted.rows(0, x.columns()));
    }

    @Override
    public void embedding(int[] tokens, Tensor dOut, float scale) {
        // It is not trained.
    }

    @Override
    public void close() {
        between.close();
        betweenGradients.close();
        arena.close();
    }
}
