// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Checks shapes, splits rows over the team, and calls kernels. */
final class CpuOps implements Ops {
    /** Elements per task of an elementwise formula: 64 KiB, so that a task is worth its hand-over. */
    private static final int CHUNK = 16_384;

    private final WorkerTeam workers;
    private final Kernels kernels;
    private final LinearProduct product;
    private final CachedAttention attention;
    private final Scratch angles = new Scratch();
    /** Cosines of all rows of a batch, then sines: [2, rows, half]. */
    private MemorySegment angleTable;

    private Batch anglesOf;

    /** @param roundsToBf16 whether products with BF16 weights round activations to BF16; the kernels must be able to */
    CpuOps(WorkerTeam workers, Kernels kernels, boolean roundsToBf16) {
        this.workers = workers;
        this.kernels = kernels;
        this.product = new LinearProduct(workers, kernels, roundsToBf16);
        this.attention = new CachedAttention(workers, kernels);
    }

    @Override
    public void begin(Batch batch) {
        attention.begin(batch);
        prepareAngles(batch);
    }

    /** Puts the angles of all rows one behind the other: the same for all layers. */
    private void prepareAngles(Batch batch) {
        int half = batch.spans().getFirst().rope().half();
        MemorySegment all = angles.floats(2L * batch.size() * half);
        long sines = 4L * batch.size() * half;
        for (Batch.Span span : batch.spans()) {
            int count = span.count() * half;
            long at = 4L * span.first() * half;
            MemorySegment.copy(span.rope().cos(), 0, all, ValueLayout.JAVA_FLOAT, at, count);
            MemorySegment.copy(span.rope().sin(), 0, all, ValueLayout.JAVA_FLOAT, sines + at, count);
        }
        angleTable = all;
        anglesOf = batch;
    }

    @Override
    public void embed(int[] tokens, Weight table, float scale, Tensor out) {
        Shapes.embed(tokens, table, out);
        Tensor rows = table.blocks().getFirst().matrix();
        float[] row = new float[Math.toIntExact(rows.columns())];
        for (int t = 0; t < tokens.length; t++) {
            FloatRows.copy(rows, tokens[t], row);
            MemorySegment.copy(
                    row, 0, out.segment(), ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * t * row.length, row.length);
        }
        if (scale != 1) {
            scale(out, scale);
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor rstd) {
        Shapes.rmsNorm(x, weight, y, rstd);
        long columns = x.columns();
        forRows(x.rows(), columns, (first, count) -> {
            MemorySegment to = y.segment().asSlice(4 * first * columns);
            MemorySegment factors = rstd.segment().asSlice(4 * first);
            kernels.rmsNorm(
                    x.segment().asSlice(4 * first * columns), weight.segment(), eps, to, factors, count, columns);
        });
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        Shapes.linear(x, w, y);
        product.run(x, w, y, false);
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        Shapes.linearAdd(x, w, residual, y);
        if (residual.segment().address() != y.segment().address()) {
            MemorySegment.copy(residual.segment(), 0, y.segment(), 0, y.bytes());
        }
        product.run(x, w, y, true);
    }

    @Override
    public void headNorm(
            Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor y, Tensor rstd) {
        Shapes.headNorm(x, heads, queryNorm, keyNorm, y, rstd);
        if (x.segment().address() != y.segment().address()) {
            MemorySegment.copy(x.segment(), 0, y.segment(), 0, y.bytes());
        }
        HeadNorm norm = new HeadNorm(heads, queryNorm, keyNorm, eps, rstd);
        forRows(
                x.rows(),
                heads.qkvWidth(),
                (first, count) -> normaliseHeads(
                        norm, y.segment().asSlice(4 * first * heads.qkvWidth()), first, count, x.rows()));
    }

    /** The operands of {@link #headNorm} beside the rows themselves. */
    record HeadNorm(HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor rstd) {}

    /**
     * Some rows of {@link #headNorm}, in place.
     *
     * @param rows [count, queries | keys | values], from row {@code first} of {@code all}
     */
    void normaliseHeads(HeadNorm norm, MemorySegment rows, long first, long count, long all) {
        HeadLayout heads = norm.heads();
        MemorySegment ofQueries = norm.rstd().segment();
        MemorySegment ofKeys = ofQueries.asSlice(4 * all * heads.heads());
        for (long row = 0; row < count; row++) {
            MemorySegment to = rows.asSlice(4 * row * heads.qkvWidth());
            normalise(to, norm.queryNorm(), norm.eps(), ofQueries, first + row, heads.heads());
            normalise(
                    to.asSlice(4L * heads.queryWidth()),
                    norm.keyNorm(),
                    norm.eps(),
                    ofKeys,
                    first + row,
                    heads.kvHeads());
        }
    }

    /** The heads at the beginning of {@code row}, which is number {@code index}, in place. */
    private void normalise(MemorySegment row, Tensor weight, float eps, MemorySegment rstd, long index, int heads) {
        MemorySegment factors = rstd.asSlice(4 * index * heads);
        kernels.rmsNorm(
                row, weight.segment(), eps, row, factors, heads, weight.shape().elements());
    }

    @Override
    public void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        Shapes.rope(qkv, heads, batch);
        needAngles(batch);
        long width = heads.qkvWidth();
        forRows(
                batch.size(),
                width,
                (first, count) -> turnRows(qkv.segment().asSlice(4 * first * width), first, count, heads, batch));
    }

    /** Before {@link #turnRows}. */
    void needAngles(Batch batch) {
        if (batch != anglesOf) {
            prepareAngles(batch);
        }
    }

    /**
     * Some rows of {@link #rope}.
     *
     * @param rows [count, queries | keys | values], from row {@code first} of the batch
     */
    void turnRows(MemorySegment rows, long first, long count, HeadLayout heads, Batch batch) {
        int half = heads.headDim() / 2;
        long at = 4 * first * half;
        MemorySegment sines = angleTable.asSlice(4L * batch.size() * half);
        int turned = heads.heads() + heads.kvHeads();
        kernels.rope(rows, angleTable.asSlice(at), sines.asSlice(at), count, heads.qkvWidth(), turned, half);
        for (Batch.Span span : batch.spans()) {
            if (span.rope().sharpensAny(span.count())) {
                sharpenQueries(rows, first, count, heads, span);
            }
        }
    }

    /** Few models do, and those behind the length that they were trained with only. */
    private void sharpenQueries(MemorySegment rows, long first, long count, HeadLayout heads, Batch.Span span) {
        long from = Math.max(first, span.first());
        long end = Math.min(first + count, span.first() + span.count());
        for (long row = from; row < end; row++) {
            MemorySegment queries = rows.asSlice(4 * (row - first) * heads.qkvWidth());
            kernels.scale(queries, span.rope().queryFactor((int) (row - span.first())), heads.queryWidth());
        }
    }

    @Override
    public void turnKeys(KvCache cache, RopeTable from, RopeTable to) {
        Shapes.turnKeys(cache, from, to);
        workers.run(cache.layout().layers(), (layer, worker) -> KeyTurn.layer(cache, layer, from, to));
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        Shapes.attention(qkv, heads, batch, layer, out, lse);
        attention.run(qkv, heads, batch, layer, out, lse);
    }

    @Override
    public void swiGlu(Tensor gateUp, Tensor out) {
        Shapes.swiGlu(gateUp, out);
        long columns = out.columns();
        forRows(
                out.rows(),
                columns,
                (first, count) -> swiGluRows(
                        gateUp.segment().asSlice(8 * first * columns),
                        out.segment().asSlice(4 * first * columns),
                        count,
                        columns));
    }

    /** Some rows of {@link #swiGlu}. */
    void swiGluRows(MemorySegment gateUp, MemorySegment out, long count, long columns) {
        kernels.swiGlu(gateUp, out, count, columns);
    }

    @Override
    public void selectRows(Tensor x, int[] rows, Tensor out) {
        Shapes.selectRows(x, rows, out);
        long bytes = 4 * x.columns();
        for (int i = 0; i < rows.length; i++) {
            MemorySegment.copy(x.segment(), rows[i] * bytes, out.segment(), i * bytes, bytes);
        }
    }

    @Override
    public void copyColumns(Tensor from, int first, Tensor to, int at, int count) {
        Shapes.copyColumns(from, first, to, at, count);
        MemorySegment source = from.segment().asSlice(4L * first);
        copyRows(source, from.columns(), to.segment().asSlice(4L * at), to.columns(), from.rows(), count);
    }

    /** So many floats of each row; the strides are in floats. */
    static void copyRows(MemorySegment from, long fromStride, MemorySegment to, long toStride, long rows, long count) {
        for (long row = 0; row < rows; row++) {
            MemorySegment.copy(from, 4 * row * fromStride, to, 4 * row * toStride, 4 * count);
        }
    }

    @Override
    public void clearRows(Tensor x, boolean[] which) {
        Shapes.clearRows(x, which);
        for (int row = 0; row < which.length; row++) {
            if (which[row]) {
                x.rows(row, row + 1L).clear();
            }
        }
    }

    @Override
    public void scale(Tensor x, float factor) {
        long columns = x.columns();
        forRows(
                x.rows(),
                columns,
                (first, count) -> kernels.scale(x.segment().asSlice(4 * first * columns), factor, count * columns));
    }

    /** Runs a task for some rows at a time, several where they are short. */
    private void forRows(long rows, long columns, WorkerTeam.RangeTask task) {
        workers.runRanges(rows, Math.max(1, CHUNK / Math.max(1, columns)), task);
    }

    void close() {
        product.close();
        attention.close();
        angles.close();
    }
}
