// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.Ops;

/**
 * One pre-norm decoder layer: {@code h = x + Attention(RMSNorm(x)); y = h + SwiGLU(RMSNorm(h))}. Tensors are
 * [tokens, features].
 */
final class DecoderLayer {
    private final ModelConfig config;
    private final int index;

    DecoderLayer(ModelConfig config, int index) {
        this.config = config;
        this.index = index;
    }

    /** Reads {@code a.x()}, writes {@code a.y()}. */
    void forward(Ops ops, LayerWeights w, Batch batch, Activations a) {
        ops.rmsNorm(a.x(), w.attnNorm(), config.normEps(), a.norm1(), a.rstd1());
        ops.linear(a.norm1(), w.qkv(), a.qkv());
        ops.rope(a.qkv(), config.heads(), batch);
        ops.attention(a.qkv(), config.heads(), batch, index, a.attn(), a.lse());
        ops.linearAdd(a.attn(), w.attnOut(), config.residualAfterNorm() ? a.norm1() : a.x(), a.h());
        ops.rmsNorm(a.h(), w.ffnNorm(), config.normEps(), a.norm2(), a.rstd2());
        ops.linear(a.norm2(), w.gateUp(), a.gateUp());
        ops.swiGlu(a.gateUp(), a.ffn());
        ops.linearAdd(a.ffn(), w.down(), config.residualAfterNorm() ? a.norm2() : a.h(), a.y());
    }
}
