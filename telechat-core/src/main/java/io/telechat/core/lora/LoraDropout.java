// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.GradOps;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;

/**
 * While an adapter is trained, it is given what dropout leaves of its layer's input, as with PEFT's {@code lora_dropout}. What
 * is dropped is a function of the seed, the micro-batch, the adapter and the element's place. So no mask is kept: the backward
 * pass, and a layer that is computed twice, drop the same again. Linear layers that make up one weight of the model share a
 * mask, where PEFT draws one for each.
 */
public final class LoraDropout implements AutoCloseable {
    private final GradOps ops;
    private final double rate;
    private final long seed;
    private final LoraOps.Scratch scratch;
    private boolean training;
    private long microBatch;

    /**
     * Drops nothing before {@link #train} is called.
     *
     * @param rate share that is dropped, from 0 to below 1
     */
    public LoraDropout(Backend backend, double rate, long seed) {
        this.ops = backend.gradOps();
        this.rate = rate;
        this.seed = seed;
        this.scratch = new LoraOps.Scratch(backend);
    }

    /** For inference: nothing is ever dropped. */
    static LoraDropout none(Backend backend) {
        return new LoraDropout(backend, 0, 0);
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

    /**
     * What an adapter is given.
     *
     * @param x [tokens, in]
     * @return of the same shape: {@code x} itself, or memory that is overwritten by the next call of this class
     */
    Tensor forward(LoraWeight adapter, Tensor x) {
        if (!training) {
            return x;
        }
        Tensor dropped = scratch.of(x.rows(), x.columns());
        ops.dropout(x, rate, seed(adapter), dropped, false);
        return dropped;
    }

    /**
     * Through the adapter's first product and the dropout before it: {@code dx += dropout(dt·down)}.
     *
     * @param dt [tokens, modules · rank]
     * @param dx [tokens, in]
     */
    void backward(LoraWeight adapter, Tensor dt, Tensor dx) {
        if (!training) {
            ops.linearInputGrad(dt, adapter.down(), dx, true);
            return;
        }
        Tensor gradient = scratch.of(dx.rows(), dx.columns());
        ops.linearInputGrad(dt, adapter.down(), gradient, false);
        ops.dropout(gradient, rate, seed(adapter), dx, true);
    }

    private long seed(LoraWeight adapter) {
        return SplitMix.seed(SplitMix.seed(seed, microBatch), adapter.name(0).hashCode());
    }

    @Override
    public void close() {
        scratch.close();
    }
}
