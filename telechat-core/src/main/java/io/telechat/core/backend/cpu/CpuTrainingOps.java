// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static io.telechat.core.backend.cpu.ActivationRows.Operand.read;
import static io.telechat.core.backend.cpu.ActivationRows.Operand.updated;
import static io.telechat.core.backend.cpu.ActivationRows.Operand.written;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.ForwardingOps;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * The forward formulas of training: products of large matrices, attention within rows, and activations that may be BF16. All
 * else is {@link CpuOps}'.
 */
final class CpuTrainingOps extends ForwardingOps {
    private final CpuOps ops;
    private final MatrixProducts products;
    private final SpanAttention attention;
    private final ActivationRows rows;

    CpuTrainingOps(CpuOps ops, MatrixProducts products, SpanAttention attention, ActivationRows rows) {
        super(ops);
        this.ops = ops;
        this.products = products;
        this.attention = attention;
        this.rows = rows;
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        Shapes.linear(x, w, y);
        products.forward(x, w, y, false);
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        Shapes.linearAdd(x, w, residual, y);
        if (residual.segment().address() != y.segment().address()) {
            MemorySegment.copy(residual.segment(), 0, y.segment(), 0, y.bytes());
        }
        products.forward(x, w, y, true);
    }

    @Override
    public void headNorm(
            Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor y, Tensor rstd) {
        Shapes.headNorm(x, heads, queryNorm, keyNorm, y, rstd);
        CpuOps.HeadNorm norm = new CpuOps.HeadNorm(heads, queryNorm, keyNorm, eps, rstd);
        rows.run(
                (first, count, of) -> {
                    if (of[0].address() != of[1].address()) {
                        MemorySegment.copy(of[0], 0, of[1], 0, 4 * count * x.columns());
                    }
                    ops.normaliseHeads(norm, of[1], first, count, x.rows());
                },
                read(x),
                written(y));
    }

    @Override
    public void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        Shapes.rope(qkv, heads, batch);
        ops.needAngles(batch);
        rows.run((first, count, of) -> ops.turnRows(of[0], first, count, heads, batch), updated(qkv));
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        if (batch.spans().stream().allMatch(Batch.Span::isCached)) {
            super.attention(qkv, heads, batch, layer, out, lse);
            return;
        }
        Shapes.attention(qkv, heads, batch, layer, out, lse);
        attention.forward(qkv, heads, batch, out, lse);
    }

    @Override
    public void swiGlu(Tensor gateUp, Tensor out) {
        Shapes.swiGlu(gateUp, out);
        rows.run((first, count, of) -> ops.swiGluRows(of[0], of[1], count, out.columns()), read(gateUp), written(out));
    }

    @Override
    public void copyColumns(Tensor from, int first, Tensor to, int at, int count) {
        Shapes.copyColumns(from, first, to, at, count);
        rows.run(
                (row, rowCount, of) -> {
                    MemorySegment source = of[0].asSlice(4L * first);
                    CpuOps.copyRows(source, from.columns(), of[1].asSlice(4L * at), to.columns(), rowCount, count);
                },
                read(from),
                updated(to));
    }
}
