// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * While an adapter is trained, it is given what dropout leaves of its layer's input, as with PEFT's {@code lora_dropout}: each
 * linear layer of the checkpoint draws a mask of its own, also where several make up one weight of the model. What is dropped
 * is a function of the seed, the micro-batch, the linear layer and the element's place. So no mask is kept: the backward pass,
 * and a layer that is computed twice, drop the same again.
 */
public final class LoraDropout implements AutoCloseable {
    private final GradOps ops;
    private final double rate;
    private final long seed;
    private final LoraOps.Scratch scratch;
    private final LoraOps.Scratch zeros;
    private final LoraOps.Scratch unwanted;
    private boolean training;
    private long microBatch;

    /**
     * Drops nothing before {@link #train} is called.
     *
     * @param ops of the backend, for the products of adapters, too
     * @param rate share that is dropped, from 0 to below 1
     */
    public LoraDropout(Backend backend, GradOps ops, double rate, long seed) {
        this.ops = ops;
        this.rate = rate;
        this.seed = seed;
        this.scratch = new LoraOps.Scratch(backend);
        this.zeros = new LoraOps.Scratch(backend);
        this.unwanted = new LoraOps.Scratch(backend);
    }

    /** For inference: nothing is ever dropped. */
    public static LoraDropout none(Backend backend) {
        return new LoraDropout(backend, backend.gradOps(), 0, 0);
    }

    /** From now on drops what belongs to this micro-batch of the run, counted from 0. */
    public void train(long number) {
        training = rate > 0;
        microBatch = number;
    }

    /** From now on drops nothing. */
    public void evaluate() {
        training = false;
    }

    /** How many different things an adapter is given: one for each linear layer while something is dropped. */
    int parts(LoraWeight adapter) {
        return training ? adapter.down().blocks().size() : 1;
    }

    /**
     * What a part of an adapter is given.
     *
     * @param x [tokens, in]
     * @return of the same shape: {@code x} itself, or memory that is overwritten by the next call of this class
     */
    Tensor given(LoraWeight adapter, int part, Tensor x) {
        if (!training) {
            return x;
        }
        Tensor dropped = scratch.of(x.rows(), x.columns());
        ops.dropout(x, rate, seed(adapter, part), dropped, false);
        return dropped;
    }

    /**
     * The first product of a part: {@code t = given · downᵀ}, or added to that of the parts before.
     *
     * @param given [tokens, in], by {@link #given}
     * @param t [tokens, modules · rank]
     */
    void down(Ops product, LoraWeight adapter, int part, Tensor given, Tensor t) {
        if (part == 0) {
            product.linear(given, down(adapter, part), t);
        } else {
            product.linearAdd(given, down(adapter, part), t, t);
        }
    }

    /** The linear layer of a part, and zeros for the others. */
    private Weight down(LoraWeight adapter, int part) {
        return onlyPart(adapter, adapter.down(), part, zeros);
    }

    /**
     * Backward through {@link #down}: {@code dDown += dtᵀ · given}.
     *
     * @param dt [tokens, modules · rank]
     * @param dDown of the shape of the adapter's {@code down}; only the part's block is changed
     */
    void downGrad(LoraWeight adapter, int part, Tensor given, Tensor dt, Weight dDown) {
        ops.linearWeightGrad(given, dt, onlyPart(adapter, dDown, part, unwanted));
    }

    /**
     * Backward through the first products and the dropout before them: {@code dx += Σ dropout(dt·down)}.
     *
     * @param dt [tokens, modules · rank]
     * @param dx [tokens, in]
     */
    void inputGrad(LoraWeight adapter, Tensor dt, Tensor dx) {
        if (!training) {
            ops.linearInputGrad(dt, adapter.down(), dx, true);
            return;
        }
        for (int part = 0; part < parts(adapter); part++) {
            Tensor gradient = scratch.of(dx.rows(), dx.columns());
            ops.linearInputGrad(dt, down(adapter, part), gradient, false);
            ops.dropout(gradient, rate, seed(adapter, part), dx, true);
        }
    }

    /**
     * A stack of blocks with others in place of all but one. A product with all of them costs little more than one with the
     * block alone, for ranks are low, and its columns stay where they belong.
     */
    private Weight onlyPart(LoraWeight adapter, Weight stacked, int part, LoraOps.Scratch others) {
        if (parts(adapter) == 1) {
            return stacked;
        }
        List<Tensor> blocks = new ArrayList<>();
        Tensor rest = others.of(stacked.outFeatures(), stacked.inFeatures());
        for (int i = 0; i < stacked.blocks().size(); i++) {
            long from = (long) i * adapter.rank();
            blocks.add(i == part ? stacked.blocks().get(i).matrix() : rest.rows(from, from + adapter.rank()));
        }
        return Weight.stacked(blocks);
    }

    /** What it has allocated. */
    long bytes() {
        return scratch.bytes() + zeros.bytes() + unwanted.bytes();
    }

    private long seed(LoraWeight adapter, int part) {
        return SplitMix.seed(SplitMix.seed(seed, microBatch), adapter.name(part).hashCode());
    }

    @Override
    public void close() {
        scratch.close();
        zeros.close();
        unwanted.close();
    }
}
