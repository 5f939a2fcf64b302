// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import static io.telechat.core.backend.nd4j.ArrayView.array;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Every formula as it is written in {@link Ops}, in plain ND4J. */
final class Nd4jOps implements Ops {
    @Override
    public void embed(int[] tokens, Weight table, float scale, Tensor out) {
        Shapes.embed(tokens, table, out);
        array(out)
                .assign(Nd4j.pullRows(array(table.blocks().getFirst().matrix()), 1, tokens)
                        .mul(scale));
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor rstd) {
        Shapes.rmsNorm(x, weight, y, rstd);
        INDArray in = array(x);
        INDArray scale = reciprocalDeviation(in, eps);
        array(rstd).assign(scale);
        array(y).assign(in.mulColumnVector(scale.reshape(-1, 1)).muliRowVector(array(weight)));
    }

    private static INDArray reciprocalDeviation(INDArray rows, float eps) {
        return Transforms.sqrt(rows.mul(rows).mean(1).addi(eps)).rdivi(1);
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        Shapes.linear(x, w, y);
        array(y).assign(product(x, w));
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        Shapes.linearAdd(x, w, residual, y);
        array(y).assign(product(x, w).addi(array(residual)));
    }

    private static INDArray product(Tensor x, Weight w) {
        INDArray product = Nd4j.create(array(x).dataType(), new long[] {x.rows(), w.outFeatures()}, 'c');
        long column = 0;
        for (Weight.Block block : w.blocks()) {
            INDArray part = Nd4j.gemm(array(x), array(block.matrix()), false, true);
            block.bias().ifPresent(bias -> part.addiRowVector(array(bias)));
            product.get(all(), interval(column, column + block.rows())).assign(part);
            column += block.rows();
        }
        return product;
    }

    @Override
    public void headNorm(
            Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor y, Tensor rstd) {
        Shapes.headNorm(x, heads, queryNorm, keyNorm, y, rstd);
        array(y).assign(array(x));
        long queries = x.rows() * heads.heads();
        normalise(array(y), 0, heads.queryWidth(), queryNorm, eps, rstd.rows(0, queries));
        normalise(array(y), heads.queryWidth(), heads.kvWidth(), keyNorm, eps, rstd.rows(queries, rstd.rows()));
    }

    /** The heads in some columns, in place. */
    private static void normalise(INDArray rows, long from, long width, Tensor weight, float eps, Tensor rstd) {
        INDArray view = rows.get(all(), interval(from, from + width));
        INDArray heads = view.dup('c').reshape('c', rstd.rows(), weight.shape().elements());
        INDArray scale = reciprocalDeviation(heads, eps);
        array(rstd).assign(scale);
        INDArray normed = heads.muliColumnVector(scale.reshape(-1, 1)).muliRowVector(array(weight));
        view.assign(normed.reshape('c', rows.rows(), width));
    }

    @Override
    public void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        turn(qkv, heads, batch, 1);
    }

    /** Turns queries and keys by the spans' angles, forward (1) or backward (-1). */
    static void turn(Tensor qkv, HeadLayout heads, Batch batch, int direction) {
        Shapes.rope(qkv, heads, batch);
        int turned = heads.heads() + heads.kvHeads();
        int half = heads.headDim() / 2;
        for (Batch.Span span : batch.spans()) {
            INDArray view = array(qkv)
                    .get(interval(span.first(), span.first() + span.count()), interval(0, turned * heads.headDim()));
            INDArray x = view.dup('c').reshape('c', span.count(), turned, 2, half);
            INDArray cos = angles(span.rope().cos(), span.count(), half);
            INDArray sin = angles(span.rope().sin(), span.count(), half).mul(direction);
            INDArray a = x.get(all(), all(), interval(0, 1), all()).dup('c');
            INDArray b = x.get(all(), all(), interval(1, 2), all()).dup('c');
            INDArray turnedA = a.mul(cos).subi(b.mul(sin));
            INDArray turnedB = b.mul(cos).addi(a.mul(sin));
            view.assign(Nd4j.concat(2, turnedA, turnedB).reshape('c', span.count(), turned * heads.headDim()));
            if (span.rope().sharpensAny(span.count())) {
                sharpenQueries(qkv, heads, span);
            }
        }
    }

    private static void sharpenQueries(Tensor qkv, HeadLayout heads, Batch.Span span) {
        INDArray factors = Nd4j.create(DataType.FLOAT, span.count(), 1);
        for (int t = 0; t < span.count(); t++) {
            factors.putScalar(t, 0, span.rope().queryFactor(t));
        }
        array(qkv)
                .get(interval(span.first(), span.first() + span.count()), interval(0, heads.queryWidth()))
                .muliColumnVector(factors);
    }

    private static INDArray angles(float[] table, int count, int half) {
        return Nd4j.createFromArray(table)
                .reshape('c', table.length / half, 1, 1, half)
                .get(interval(0, count), all(), all(), all());
    }

    @Override
    public void turnKeys(KvCache cache, RopeTable from, RopeTable to) {
        Shapes.turnKeys(cache, from, to);
        int half = from.half();
        for (int first = 0; first < cache.length(); first += KvLayout.BLOCK) {
            int count = Math.min(KvLayout.BLOCK, cache.length() - first);
            INDArray fromCos = column(from.cos(), first, count, half);
            INDArray fromSin = column(from.sin(), first, count, half);
            INDArray toCos = column(to.cos(), first, count, half);
            INDArray toSin = column(to.sin(), first, count, half);
            for (int layer = 0; layer < cache.layout().layers(); layer++) {
                for (int head = 0; head < cache.layout().heads().kvHeads(); head++) {
                    INDArray keys = CacheViews.keys(cache, first / KvLayout.BLOCK, layer, head);
                    INDArray viewA = keys.get(interval(0, half), interval(0, count));
                    INDArray viewB = keys.get(interval(half, 2 * half), interval(0, count));
                    INDArray a = CacheViews.floats(viewA, half, count);
                    INDArray b = CacheViews.floats(viewB, half, count);
                    INDArray plainA = a.mul(fromCos).addi(b.mul(fromSin));
                    INDArray plainB = b.mul(fromCos).subi(a.mul(fromSin));
                    CacheViews.assign(viewA, plainA.mul(toCos).subi(plainB.mul(toSin)));
                    CacheViews.assign(viewB, plainB.mul(toCos).addi(plainA.mul(toSin)));
                }
            }
        }
    }

    /** The angles of {@code count} positions from {@code first} on, [half, count]. */
    private static INDArray column(float[] table, int first, int count, int half) {
        float[] transposed = new float[half * count];
        for (int p = 0; p < count; p++) {
            for (int i = 0; i < half; i++) {
                transposed[i * count + p] = table[(first + p) * half + i];
            }
        }
        return Nd4j.createFromArray(transposed).reshape('c', half, count);
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        Shapes.attention(qkv, heads, batch, layer, out, lse);
        for (Batch.Span span : batch.spans()) {
            INDArray mask = causalMask(span.isCached() ? span.cache().length() : 0, span.count());
            INDArray rows = rows(qkv, span);
            for (int kvHead = 0; kvHead < heads.kvHeads(); kvHead++) {
                INDArray keys;
                INDArray values;
                if (span.isCached()) {
                    CacheViews.store(rows, heads, span, layer, kvHead);
                    keys = CacheViews.allKeys(span, layer, kvHead);
                    values = CacheViews.allValues(span, layer, kvHead);
                } else {
                    keys = head(rows, heads, heads.heads() + kvHead).transpose();
                    values = head(rows, heads, heads.heads() + heads.kvHeads() + kvHead);
                }
                for (int g = 0; g < heads.groupSize(); g++) {
                    int head = kvHead * heads.groupSize() + g;
                    attend(head(rows, heads, head), head, keys, values, mask, span, out, lse);
                }
            }
        }
    }

    /** A copy of a span's rows; a copy, because ND4J goes wrong where a range is taken of a range. */
    static INDArray rows(Tensor x, Batch.Span span) {
        INDArray view = array(x).get(interval(span.first(), span.first() + span.count()), all());
        return CacheViews.floats(view, span.count(), (int) x.columns());
    }

    /** A copy of one head's columns, counted through queries, keys and values: [rows, headDim]. */
    static INDArray head(INDArray rows, HeadLayout heads, int index) {
        int dim = heads.headDim();
        INDArray view = rows.get(all(), interval((long) index * dim, (long) (index + 1) * dim));
        return CacheViews.floats(view, (int) rows.size(0), dim);
    }

    private static void attend(
            INDArray query,
            int head,
            INDArray keys,
            INDArray values,
            INDArray mask,
            Batch.Span span,
            Tensor out,
            Tensor lse) {
        long dim = query.size(1);
        INDArray scores = query.mmul(keys).muli(1 / Math.sqrt(dim)).addi(mask);
        INDArray max = scores.max(true, 1);
        INDArray weights = Transforms.exp(scores.subiColumnVector(max), false);
        INDArray sum = weights.sum(true, 1);
        INDArray result = weights.diviColumnVector(sum).mmul(values);
        INDArrayIndex range = interval(span.first(), span.first() + span.count());
        CacheViews.assign(array(out).get(range, interval(head * dim, (head + 1) * dim)), result);
        CacheViews.assign(array(lse).get(range, interval(head, head + 1)), max.add(Transforms.log(sum)));
    }

    /** 0 where a query may look, a very negative number where it may not; [count, cached + count]. */
    static INDArray causalMask(int cached, int count) {
        float[] mask = new float[count * (cached + count)];
        for (int t = 0; t < count; t++) {
            int row = t * (cached + count);
            Arrays.fill(mask, row + cached + t + 1, row + cached + count, -1e30f);
        }
        return Nd4j.createFromArray(mask).reshape('c', count, cached + count);
    }

    @Override
    public void swiGlu(Tensor gateUp, Tensor out) {
        Shapes.swiGlu(gateUp, out);
        long width = out.columns();
        INDArray gate = array(gateUp).get(all(), interval(0, width)).dup('c');
        INDArray up = array(gateUp).get(all(), interval(width, 2 * width));
        array(out).assign(gate.mul(Transforms.sigmoid(gate)).muli(up));
    }

    @Override
    public void selectRows(Tensor x, int[] rows, Tensor out) {
        Shapes.selectRows(x, rows, out);
        for (int i = 0; i < rows.length; i++) {
            array(out).getRow(i).assign(array(x).getRow(rows[i]));
        }
    }

    @Override
    public void copyColumns(Tensor from, int first, Tensor to, int at, int count) {
        Shapes.copyColumns(from, first, to, at, count);
        columns(array(to), at, count).assign(columns(array(from), first, count));
    }

    private static INDArray columns(INDArray matrix, int first, int count) {
        return matrix.get(all(), interval(first, first + count));
    }

    @Override
    public void clearRows(Tensor x, boolean[] which) {
        Shapes.clearRows(x, which);
        for (int row = 0; row < which.length; row++) {
            if (which[row]) {
                array(x).getRow(row).assign(0);
            }
        }
    }

    @Override
    public void scale(Tensor x, float factor) {
        array(x).muli(factor);
    }
}
