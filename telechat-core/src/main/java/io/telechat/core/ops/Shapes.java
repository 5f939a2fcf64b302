// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.util.List;

/** The checks that every implementation of {@link Ops} makes before it touches memory. */
public final class Shapes {
    private Shapes() {}

    public static void embed(int[] tokens, Weight table, Tensor out) {
        matrix("out", out, tokens.length, table.inFeatures());
        if (table.blocks().size() != 1) {
            throw new IllegalArgumentException("an embedding table must be one block");
        }
        for (int token : tokens) {
            if (token < 0 || token >= table.outFeatures()) {
                throw new IllegalArgumentException(
                        "token " + token + " is not in the table of " + table.outFeatures() + " rows");
            }
        }
    }

    public static void rmsNorm(Tensor x, Tensor weight, Tensor y, Tensor rstd) {
        matrix("x", x, x.rows(), weight.shape().elements());
        matrix("y", y, x.rows(), x.columns());
        vector("rstd", rstd, x.rows());
    }

    public static void linear(Tensor x, Weight w, Tensor y) {
        activation("x", x, x.rows(), w.inFeatures());
        activation("y", y, x.rows(), w.outFeatures());
        for (Weight.Block block : w.blocks()) {
            if (block.bias().isPresent()) {
                vector("bias", block.bias().get(), block.rows());
            }
        }
    }

    public static void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        linear(x, w, y);
        activation("residual", residual, y.rows(), y.columns());
    }

    public static void headNorm(Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, Tensor y, Tensor rstd) {
        activation("x", x, x.rows(), heads.qkvWidth());
        activation("y", y, x.rows(), heads.qkvWidth());
        vector("queryNorm", queryNorm, heads.headDim());
        vector("keyNorm", keyNorm, heads.headDim());
        vector("rstd", rstd, x.rows() * (heads.heads() + heads.kvHeads()));
    }

    public static void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        activation("qkv", qkv, batch.size(), heads.qkvWidth());
        for (Batch.Span span : batch.spans()) {
            if (span.rope().half() != heads.headDim() / 2 || span.rope().count() < span.count()) {
                throw new IllegalArgumentException("rope table of %d positions, %d pairs for %d tokens, heads of %d"
                        .formatted(span.rope().count(), span.rope().half(), span.count(), heads.headDim()));
            }
        }
    }

    public static void turnKeys(KvCache cache, RopeTable from, RopeTable to) {
        for (RopeTable table : List.of(from, to)) {
            if (table.first() != 0
                    || table.count() < cache.length()
                    || table.half() != cache.layout().heads().headDim() / 2
                    || table.scaling().magnitude() != 1) {
                throw new IllegalArgumentException("rope table of %d positions from %d cannot turn %d keys"
                        .formatted(table.count(), table.first(), cache.length()));
            }
        }
    }

    public static void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        activation("qkv", qkv, batch.size(), heads.qkvWidth());
        activation("out", out, batch.size(), heads.queryWidth());
        matrix("lse", lse, batch.size(), heads.heads());
        for (Batch.Span span : batch.spans()) {
            if (span.isCached()
                    && (layer < 0
                            || layer >= span.cache().layout().layers()
                            || !span.cache().layout().heads().equals(heads))) {
                throw new IllegalArgumentException("the cache is not for layer %d of %s".formatted(layer, heads));
            }
        }
    }

    public static void selectRows(Tensor x, int[] rows, Tensor out) {
        matrix("out", out, rows.length, x.columns());
        for (int row : rows) {
            if (row < 0 || row >= x.rows()) {
                throw new IllegalArgumentException("row " + row + " is not in a tensor of " + x.rows() + " rows");
            }
        }
    }

    public static void copyColumns(Tensor from, int first, Tensor to, int at, int count) {
        activation("from", from, to.rows(), from.columns());
        activation("to", to, from.rows(), to.columns());
        if (first < 0 || at < 0 || count < 0 || first + count > from.columns() || at + count > to.columns()) {
            throw new IllegalArgumentException(
                    "%d columns from %d of %s to %d of %s".formatted(count, first, from, at, to));
        }
    }

    public static void clearRows(Tensor x, boolean[] which) {
        matrix("x", x, which.length, x.columns());
    }

    public static void swiGlu(Tensor gateUp, Tensor out) {
        activation("gateUp", gateUp, out.rows(), 2 * out.columns());
        matrix("out", out, out.rows(), out.columns());
    }

    public static void rmsNormBackward(
            Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx, Tensor dWeight) {
        activation("x", x, x.rows(), weight.shape().elements());
        activation("dy", dy, x.rows(), x.columns());
        activation("residual", residual, x.rows(), x.columns());
        activation("dx", dx, x.rows(), x.columns());
        vector("rstd", rstd, x.rows());
        vector("dWeight", dWeight, x.columns());
    }

    public static void linearWeightGrad(Tensor x, Tensor dy, Weight dW) {
        linear(x, dW, dy);
        for (Weight.Block block : dW.blocks()) {
            matrix("dW", block.matrix(), block.rows(), x.columns());
        }
    }

    public static void attentionBackward(
            Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv) {
        attention(qkv, heads, batch, 0, out, lse);
        matrix("dOut", dOut, batch.size(), heads.queryWidth());
        activation("dQkv", dQkv, batch.size(), heads.qkvWidth());
        if (batch.spans().stream().anyMatch(Batch.Span::isCached)) {
            throw new IllegalArgumentException("there is no gradient through a cache");
        }
    }

    public static void swiGluBackward(Tensor gateUp, Tensor dOut, Tensor dGateUp) {
        swiGlu(gateUp, dOut);
        swiGlu(dGateUp, dOut);
    }

    public static void crossEntropy(Tensor logits, int[] targets, float[] weights, Tensor loss) {
        matrix("logits", logits, targets.length, logits.columns());
        vector("loss", loss, weights.length);
        if (targets.length != weights.length) {
            throw new IllegalArgumentException(targets.length + " targets, " + weights.length + " weights");
        }
        for (int target : targets) {
            if (target < 0 || target >= logits.columns()) {
                throw new IllegalArgumentException("target " + target + " of " + logits.columns());
            }
        }
    }

    public static void dropout(Tensor x, double rate, Tensor y) {
        activation("x", x, x.rows(), x.columns());
        vector("y", y, x.shape().elements());
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException("a dropout of " + rate);
        }
    }

    public static void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v) {
        long elements = parameter.shape().elements();
        vector("parameter", parameter, elements);
        vector("gradient", gradient, elements);
        vector("m", m, elements);
        vector("v", v, elements);
    }

    public static void adamW8(Tensor parameter, Tensor gradient, BlockwiseTensor m, BlockwiseTensor v) {
        long elements = parameter.shape().elements();
        vector("parameter", parameter, elements);
        vector("gradient", gradient, elements);
        for (BlockwiseTensor moment : List.of(m, v)) {
            vector("scales", moment.scales(), BlockwiseTensor.blocks(elements));
            if (moment.codes().dtype() != DType.U8 || moment.codes().shape().elements() != elements) {
                throw new IllegalArgumentException("codes are %s, must be U8 [%d]".formatted(moment.codes(), elements));
            }
        }
    }

    public static void round(Tensor from, Tensor to) {
        vector("from", from, to.shape().elements());
        if (to.dtype() != DType.BF16) {
            throw new IllegalArgumentException("to is %s, must be BF16".formatted(to));
        }
    }

    /** Which may be BF16 in training. */
    private static void activation(String name, Tensor tensor, long rows, long columns) {
        if (tensor.dtype() != DType.BF16) {
            matrix(name, tensor, rows, columns);
        } else if (tensor.rows() != rows || tensor.columns() != columns) {
            throw new IllegalArgumentException("%s is %s, must be [%d, %d]".formatted(name, tensor, rows, columns));
        }
    }

    private static void matrix(String name, Tensor tensor, long rows, long columns) {
        if (tensor.dtype() != DType.F32 || tensor.rows() != rows || tensor.columns() != columns) {
            throw new IllegalArgumentException("%s is %s, must be F32 [%d, %d]".formatted(name, tensor, rows, columns));
        }
    }

    private static void vector(String name, Tensor tensor, long elements) {
        if (tensor.dtype() != DType.F32 || tensor.shape().elements() != elements) {
            throw new IllegalArgumentException("%s is %s, must be F32 [%d]".formatted(name, tensor, elements));
        }
    }
}
