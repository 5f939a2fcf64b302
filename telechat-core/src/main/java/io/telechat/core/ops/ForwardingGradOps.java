// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.Tensor;
import java.util.List;

/** Hands every formula on to another {@link GradOps}, as {@link ForwardingOps} does. */
public abstract class ForwardingGradOps implements GradOps {
    private final GradOps ops;

    protected ForwardingGradOps(GradOps ops) {
        this.ops = ops;
    }

    /** What is decorated. */
    protected final GradOps delegate() {
        return ops;
    }

    @Override
    public void embedBackward(int[] tokens, Tensor dOut, float scale, Tensor dTable) {
        ops.embedBackward(tokens, dOut, scale, dTable);
    }

    @Override
    public void rmsNormBackward(
            Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx, Tensor dWeight) {
        ops.rmsNormBackward(x, weight, rstd, dy, residual, dx, dWeight);
    }

    @Override
    public void linearInputGrad(Tensor dy, Weight w, Tensor dx, boolean add) {
        ops.linearInputGrad(dy, w, dx, add);
    }

    @Override
    public void linearWeightGrad(Tensor x, Tensor dy, Weight dW) {
        ops.linearWeightGrad(x, dy, dW);
    }

    @Override
    public void ropeBackward(Tensor dQkv, HeadLayout heads, Batch batch) {
        ops.ropeBackward(dQkv, heads, batch);
    }

    @Override
    public void attentionBackward(
            Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv) {
        ops.attentionBackward(qkv, out, lse, dOut, heads, batch, dQkv);
    }

    @Override
    public void swiGluBackward(Tensor gateUp, Tensor dOut, Tensor dGateUp) {
        ops.swiGluBackward(gateUp, dOut, dGateUp);
    }

    @Override
    public void crossEntropy(Tensor logits, int[] targets, float[] weights, float scale, Tensor loss) {
        ops.crossEntropy(logits, targets, weights, scale, loss);
    }

    @Override
    public void dropout(Tensor x, double rate, long seed, Tensor y, boolean add) {
        ops.dropout(x, rate, seed, y, add);
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        return ops.sumOfSquares(tensors);
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
        ops.adamW(parameter, gradient, m, v, step);
    }

    @Override
    public void adamW8(Tensor parameter, Tensor gradient, BlockwiseTensor m, BlockwiseTensor v, AdamWStep step) {
        ops.adamW8(parameter, gradient, m, v, step);
    }

    @Override
    public void round(Tensor from, Tensor to, Rounding rounding, long seed) {
        ops.round(from, to, rounding, seed);
    }
}
