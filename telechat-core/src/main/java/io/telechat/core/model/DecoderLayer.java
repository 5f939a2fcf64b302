// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.ops.WeightId.Part;
import io.telechat.core.tensor.Tensor;

/**
 * One pre-norm decoder layer: {@code h = x + Attention(RMSNorm(x)); y = h + SwiGLU(RMSNorm(h))}. Tensors are
 * [tokens, features].
 */
public final class DecoderLayer {
    private final ModelConfig config;
    private final int index;
    private final WeightId attnNorm;
    private final WeightId ffnNorm;
    private final HeadNormStep headNorms;

    public DecoderLayer(ModelConfig config, int index) {
        this.config = config;
        this.index = index;
        this.attnNorm = new WeightId(index, Part.ATTN_NORM);
        this.ffnNorm = new WeightId(index, Part.FFN_NORM);
        this.headNorms = new HeadNormStep(config, index);
    }

    /** Reads {@code a.x()}, writes {@code a.y()}. */
    public void forward(Ops ops, LayerWeights w, Batch batch, Activations a) {
        activations(ops, w, batch, a);
        ops.swiGlu(a.gateUp(), a.ffn());
        ops.linearAdd(a.ffn(), w.down(), config.residualAfterNorm() ? a.norm2() : a.h(), a.y());
    }

    /** The part of {@link #forward} that {@link #backward} needs: everything but the layer's output. */
    public void activations(Ops ops, LayerWeights w, Batch batch, Activations a) {
        ops.rmsNorm(a.x(), w.attnNorm(), config.normEps(), a.norm1(), a.rstd1());
        ops.linear(a.norm1(), w.qkv(), a.projected());
        headNorms.forward(ops, w, a);
        ops.rope(a.qkv(), config.heads(), batch);
        ops.attention(a.qkv(), config.heads(), batch, index, a.attn(), a.lse());
        ops.linearAdd(a.attn(), w.attnOut(), config.residualAfterNorm() ? a.norm1() : a.x(), a.h());
        ops.rmsNorm(a.h(), w.ffnNorm(), config.normEps(), a.norm2(), a.rstd2());
        ops.linear(a.norm2(), w.gateUp(), a.gateUp());
    }

    /**
     * Mirrors {@link #forward} line by line. Norms and gates are computed again from what was kept, since that costs a pass
     * over memory only.
     *
     * @param gradients in place of activations, which are lost
     * @param d the gradient of the layer's output on entry, of its input on return
     */
    public void backward(
            Ops ops,
            GradOps gradOps,
            Gradients g,
            LayerWeights w,
            Batch batch,
            Activations a,
            LayerGradients gradients,
            Tensor d) {
        ops.swiGlu(a.gateUp(), a.ffn());
        g.linear(a.ffn(), w.down(), d, gradients.ffn(), false);
        gradOps.swiGluBackward(a.gateUp(), gradients.ffn(), gradients.gateUp());
        ops.rmsNorm(a.h(), w.ffnNorm(), config.normEps(), a.norm2(), a.rstd2());
        normBackward(g, a.norm2(), w.gateUp(), gradients.gateUp(), ffnNorm, a.h(), w.ffnNorm(), a.rstd2(), d);
        g.linear(a.attn(), w.attnOut(), d, gradients.attn(), false);
        gradOps.attentionBackward(a.qkv(), a.attn(), a.lse(), gradients.attn(), config.heads(), batch, gradients.qkv());
        gradOps.ropeBackward(gradients.qkv(), config.heads(), batch);
        headNorms.backward(ops, g, w, a, gradients);
        ops.rmsNorm(a.x(), w.attnNorm(), config.normEps(), a.norm1(), a.rstd1());
        normBackward(g, a.norm1(), w.qkv(), gradients.qkv(), attnNorm, a.x(), w.attnNorm(), a.rstd1(), d);
    }

    /**
     * Through {@code y = RMSNorm(x)·Wᵀ} and the residual beside it, which begins before the norm or behind it. The gradient of
     * what the norm gave takes that one's place.
     */
    private void normBackward(
            Gradients g,
            Tensor normed,
            Weight w,
            Tensor dy,
            WeightId norm,
            Tensor x,
            Tensor normWeight,
            Tensor rstd,
            Tensor d) {
        if (config.residualAfterNorm()) {
            g.linear(normed, w, dy, d, true);
            normed.clear();
            g.norm(norm, x, normWeight, rstd, d, normed, d);
        } else {
            g.linear(normed, w, dy, normed, false);
            g.norm(norm, x, normWeight, rstd, normed, d, d);
        }
    }
}
