// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.WeightId;
import io.telechat.core.ops.WeightId.Part;
import io.telechat.core.tensor.Tensor;

/** The norms of queries and keys in a layer, between their projection and the rotation; nothing where a model has none. */
final class HeadNormStep {
    private final ModelConfig config;
    private final WeightId queryNorm;
    private final WeightId keyNorm;

    HeadNormStep(ModelConfig config, int layer) {
        this.config = config;
        this.queryNorm = new WeightId(layer, Part.QUERY_NORM);
        this.keyNorm = new WeightId(layer, Part.KEY_NORM);
    }

    /** Reads {@code a.projected()}, writes {@code a.qkv()}. */
    void forward(Ops ops, LayerWeights w, Activations a) {
        if (w.headNorms().isPresent()) {
            Tensor query = w.headNorms().get().query();
            Tensor key = w.headNorms().get().key();
            ops.headNorm(a.projected(), config.heads(), query, key, config.normEps(), a.qkv(), a.rstdHeads());
        }
    }

    /**
     * Turns {@code gradients.qkv()} from the gradient of what the norms gave into that of what they were given. By now nobody needs
     * attention's activations and their gradients, in whose place it works.
     */
    void backward(Ops ops, Gradients g, LayerWeights w, Activations a, LayerGradients gradients) {
        if (w.headNorms().isPresent()) {
            HeadLayout heads = config.heads();
            long queries = a.projected().rows() * heads.heads();
            Tensor ofQueries = a.rstdHeads().rows(0, queries);
            Tensor ofKeys = a.rstdHeads().rows(queries, a.rstdHeads().rows());
            Tensor query = w.headNorms().get().query();
            Tensor key = w.headNorms().get().key();
            backward(ops, g, queryNorm, query, ofQueries, 0, a, gradients);
            backward(ops, g, keyNorm, key, ofKeys, heads.queryWidth(), a, gradients);
        }
    }

    /**
     * @param rstd of these heads in all rows
     * @param column where the heads begin in a row
     */
    private void backward(
            Ops ops,
            Gradients g,
            WeightId norm,
            Tensor weight,
            Tensor rstd,
            int column,
            Activations a,
            LayerGradients gradients) {
        int headDim = config.heads().headDim();
        int width = Math.toIntExact(rstd.rows() / a.projected().rows() * headDim);
        Tensor x = LayerGradients.inPlaceOf(a.attn(), a.projected().rows(), width);
        Tensor dy = LayerGradients.inPlaceOf(gradients.attn(), a.projected().rows(), width);
        Tensor dx = LayerGradients.inPlaceOf(a.qkv(), a.projected().rows(), width);
        ops.copyColumns(a.projected(), column, x, 0, width);
        ops.copyColumns(gradients.qkv(), column, dy, 0, width);
        dx.clear();
        Tensor byHeads = dx.reshape(rstd.rows(), headDim);
        g.norm(norm, x.reshape(rstd.rows(), headDim), weight, rstd, dy.reshape(rstd.rows(), headDim), byHeads, byHeads);
        ops.copyColumns(dx, 0, gradients.qkv(), column, width);
    }
}
