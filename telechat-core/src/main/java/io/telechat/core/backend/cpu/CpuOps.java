// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.backend.cpu.kernel.ElementwiseKernel;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.RmsNormKernel;
import io.telechat.core.backend.cpu.kernel.RopeKernel;
import io.telechat.core.backend.cpu.kernel.SwiGluKernel;
import io.telechat.core.backend.cpu.kernel.WidenKernel;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Checks shapes, splits rows over the team, and calls kernels. */
final class CpuOps implements Ops {
    /** Elements per task of an elementwise formula: 64 KiB, so that a task is worth its hand-over. */
    private static final int CHUNK = 16_384;

    private final WorkerTeam workers;
    private final LinearProduct product;
    private final CachedAttention attention;

    CpuOps(WorkerTeam workers, KernelTier tier) {
        this.workers = workers;
        this.product = new LinearProduct(workers, tier);
        this.attention = new CachedAttention(workers);
    }

    @Override
    public void embed(int[] tokens, Weight table, float scale, Tensor out) {
        Shapes.embed(tokens, table, out);
        Tensor rows = table.blocks().getFirst();
        int columns = Math.toIntExact(rows.columns());
        float[] row = new float[columns];
        for (int t = 0; t < tokens.length; t++) {
            WidenKernel.toFloats(rows.segment(), rows.dtype(), (long) tokens[t] * columns, row, 0, columns);
            MemorySegment.copy(row, 0, out.segment(), ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * t * columns, columns);
        }
        if (scale != 1) {
            scale(out, scale);
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor rstd) {
        Shapes.rmsNorm(x, weight, y, rstd);
        float[] scale = floats(weight);
        forEachRow(x, row -> {
            long offset = 4L * row * scale.length;
            rstd.setFloat(row, RmsNormKernel.row(x.segment(), offset, scale, eps, y.segment(), offset));
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
    public void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        Shapes.rope(qkv, heads, batch);
        int half = heads.headDim() / 2;
        int turned = heads.heads() + heads.kvHeads();
        for (Batch.Span span : batch.spans()) {
            RopeTable rope = span.rope();
            forEachRow(qkv.rows(span.first(), span.first() + span.count()), row -> {
                long offset = 4L * (span.first() + row) * heads.qkvWidth();
                for (int head = 0; head < turned; head++) {
                    RopeKernel.head(
                            qkv.segment(),
                            offset + 4L * head * heads.headDim(),
                            half,
                            rope.cos(),
                            rope.sin(),
                            row * half);
                }
            });
        }
    }

    @Override
    public void turnKeys(KvCache cache, RopeTable from, RopeTable to) {
        Shapes.turnKeys(cache, from, to);
        workers.run(cache.layers(), (layer, worker) -> KeyTurn.layer(cache, layer, from, to));
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        Shapes.attention(qkv, heads, batch, layer, out, lse);
        for (Batch.Span span : batch.spans()) {
            attention.run(qkv, heads, span, layer, out, lse);
        }
    }

    @Override
    public void swiGlu(Tensor gateUp, Tensor out) {
        Shapes.swiGlu(gateUp, out);
        int width = Math.toIntExact(out.columns());
        forEachRow(
                out,
                row -> SwiGluKernel.row(
                        gateUp.segment(),
                        8L * row * width,
                        8L * row * width + 4L * width,
                        out.segment(),
                        4L * row * width,
                        width));
    }

    @Override
    public void scale(Tensor x, float factor) {
        int columns = Math.toIntExact(x.columns());
        forEachRow(x, row -> ElementwiseKernel.scale(x.segment(), 4L * row * columns, factor, columns));
    }

    private interface RowTask {
        void run(int row);
    }

    /** Runs a task per row, several rows at a time where they are short. */
    private void forEachRow(Tensor tensor, RowTask task) {
        int rows = Math.toIntExact(tensor.rows());
        int perTask = (int) Math.max(1, CHUNK / Math.max(1, tensor.columns()));
        workers.run((rows + perTask - 1) / perTask, (index, worker) -> {
            int end = Math.min(rows, (index + 1) * perTask);
            for (int row = index * perTask; row < end; row++) {
                task.run(row);
            }
        });
    }

    void close() {
        product.close();
    }

    private static float[] floats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.shape().elements())];
        WidenKernel.toFloats(tensor.segment(), tensor.dtype(), 0, values, 0, values.length);
        return values;
    }
}
