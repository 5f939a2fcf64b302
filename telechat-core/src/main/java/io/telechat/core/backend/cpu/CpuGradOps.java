// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static io.telechat.core.backend.cpu.ActivationRows.Operand.read;
import static io.telechat.core.backend.cpu.ActivationRows.Operand.written;

import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Rounding;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/** The backward formulas: products of large matrices, attention within rows, and what lies between. */
final class CpuGradOps implements GradOps {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Elements per task of an elementwise formula, and of a partial sum of squares. */
    private static final int CHUNK = 16_384;

    /** Elements whose running means are decoded at once: whole blocks, and both means fit the second-level cache. */
    private static final int BLOCKWISE_CHUNK = 64 * BlockwiseTensor.BLOCK;
    /** Rows whose part of a norm's gradient is summed in one task; fixed, so that the order of the sum is. */
    private static final int NORM_ROWS = 64;

    private final WorkerTeam workers;
    private final CpuTrainingOps ops;
    private final GradKernels kernels;
    private final MatrixProducts products;
    private final SpanAttention attention;
    private final ActivationRows rows;
    private final Scratch scratch = new Scratch();
    /** A batch whose angles are turned back. */
    private Batch reversed;

    private Batch reversedOf;

    CpuGradOps(
            WorkerTeam workers,
            CpuTrainingOps ops,
            GradKernels kernels,
            MatrixProducts products,
            SpanAttention attention,
            ActivationRows rows) {
        this.workers = workers;
        this.ops = ops;
        this.kernels = kernels;
        this.products = products;
        this.attention = attention;
        this.rows = rows;
    }

    /** By columns, so that rows of one token are added in order whatever the number of threads. */
    @Override
    public void embedBackward(int[] tokens, Tensor dOut, float scale, Tensor dTable) {
        Shapes.embed(tokens, Weight.of(dTable), dOut);
        long columns = dTable.columns();
        MemorySegment from = dOut.segment();
        MemorySegment to = dTable.segment();
        workers.runRanges(columns, NORM_ROWS, (first, count) -> {
            for (int t = 0; t < tokens.length; t++) {
                for (long i = first; i < first + count; i++) {
                    long at = 4 * (tokens[t] * columns + i);
                    float sum = to.get(ValueLayout.JAVA_FLOAT, at)
                            + scale * from.get(ValueLayout.JAVA_FLOAT, 4 * (t * columns + i));
                    to.set(ValueLayout.JAVA_FLOAT, at, sum);
                }
            }
        });
    }

    @Override
    public void rmsNormBackward(
            Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx, Tensor dWeight) {
        Shapes.rmsNormBackward(x, weight, rstd, dy, residual, dx, dWeight);
        long columns = x.columns();
        int parts = Math.toIntExact((x.rows() + NORM_ROWS - 1) / NORM_ROWS);
        MemorySegment partial = scratch.floats(parts * columns);
        partial.asSlice(0, 4 * parts * columns).fill((byte) 0);
        rows.run(
                NORM_ROWS,
                (row, count, of) -> kernels.rmsNormBackward(
                        new GradKernels.NormRows(
                                of[0], weight.segment(), rstd.segment().asSlice(4 * row), of[1], of[2], of[3]),
                        partial.asSlice(4 * (row / NORM_ROWS) * columns),
                        count,
                        columns),
                read(x),
                read(dy),
                read(residual),
                written(dx));
        kernels.columnSums(partial, columns, parts, columns, dWeight.segment());
    }

    @Override
    public void linearInputGrad(Tensor dy, Weight w, Tensor dx, boolean add) {
        Shapes.linear(dx, w, dy);
        products.inputGrad(dy, w, dx, add);
    }

    @Override
    public void linearWeightGrad(Tensor x, Tensor dy, Weight dW) {
        Shapes.linearWeightGrad(x, dy, dW);
        products.weightGrad(x, dy, dW);
        long column = 0;
        for (Weight.Block block : dW.blocks()) {
            if (block.bias().isPresent()) {
                addColumnSums(dy, column, block.bias().get());
            }
            column += block.rows();
        }
    }

    /** {@code to[i] += Σ_t from[t, column + i]}, by columns. */
    private void addColumnSums(Tensor from, long column, Tensor to) {
        workers.runRanges(to.rows(), NORM_ROWS, (first, count) -> {
            MemorySegment sums = to.segment().asSlice(4 * first);
            long at = column + first;
            if (from.dtype() == DType.F32) {
                kernels.columnSums(from.segment().asSlice(4 * at), from.columns(), from.rows(), count, sums);
                return;
            }
            try (Arena arena = Arena.ofConfined()) {
                GradKernels.Rows wide = new GradKernels.Rows(arena.allocate(4 * NORM_ROWS * count, 64), count);
                for (long row = 0; row < from.rows(); row += NORM_ROWS) {
                    long rowCount = Math.min(NORM_ROWS, from.rows() - row);
                    long start = from.dtype().bytes() * (row * from.columns() + at);
                    GradKernels.Rows some = new GradKernels.Rows(from.segment().asSlice(start), from.columns());
                    kernels.widenRows(from.dtype(), some, wide, rowCount, count);
                    kernels.columnSums(wide.first(), count, rowCount, count, sums);
                }
            }
        });
    }

    @Override
    public void ropeBackward(Tensor dQkv, HeadLayout heads, Batch batch) {
        if (batch != reversedOf) { // once for all layers
            reversed = new Batch(
                    batch.tokens(),
                    batch.spans().stream()
                            .map(s -> new Batch.Span(
                                    s.first(), s.count(), s.cache(), s.rope().reversed()))
                            .toList());
            reversedOf = batch;
        }
        ops.rope(dQkv, heads, reversed);
    }

    @Override
    public void attentionBackward(
            Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv) {
        Shapes.attentionBackward(qkv, out, lse, dOut, heads, batch, dQkv);
        attention.backward(qkv, out, lse, dOut, heads, batch, dQkv);
    }

    @Override
    public void swiGluBackward(Tensor gateUp, Tensor dOut, Tensor dGateUp) {
        Shapes.swiGluBackward(gateUp, dOut, dGateUp);
        rows.run(
                (row, count, of) -> kernels.swiGluBackward(of[0], of[1], of[2], count, dOut.columns()),
                read(gateUp),
                read(dOut),
                written(dGateUp));
    }

    @Override
    public void crossEntropy(Tensor logits, int[] targets, float[] weights, float scale, Tensor loss) {
        Shapes.crossEntropy(logits, targets, weights, loss);
        int rows = targets.length;
        MemorySegment ids = scratch.floats(2L * rows);
        MemorySegment factors = ids.asSlice(4L * rows);
        MemorySegment.copy(targets, 0, ids, ValueLayout.JAVA_INT, 0, rows);
        MemorySegment.copy(weights, 0, factors, ValueLayout.JAVA_FLOAT, 0, rows);
        workers.run(
                rows,
                (row, worker) -> kernels.crossEntropy(
                        logits.segment().asSlice(4 * row * logits.columns()),
                        ids.asSlice(4L * row),
                        factors.asSlice(4L * row),
                        scale,
                        loss.segment().asSlice(4L * row),
                        1,
                        logits.columns()));
    }

    @Override
    public void dropout(Tensor x, double rate, long seed, Tensor y, boolean add) {
        Shapes.dropout(x, rate, y);
        float kept = (float) (1 / (1 - rate));
        long elements = x.shape().elements();
        rows.run(
                (first, count, of) -> {
                    for (long i = 0; i < count; i++) {
                        float value = SplitMix.uniform(seed, first + i) < rate ? 0 : kept * of[0].get(FLOAT, 4 * i);
                        of[1].set(FLOAT, 4 * i, add ? of[1].get(FLOAT, 4 * i) + value : value);
                    }
                },
                read(x.reshape(elements, 1)),
                new ActivationRows.Operand(y.reshape(elements, 1), add, true));
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        return tensors.stream().mapToDouble(this::sumOfSquares).reduce(0, Double::sum); // in order, unlike sum()
    }

    private double sumOfSquares(Tensor x) {
        long count = x.shape().elements();
        double[] parts = new double[Math.toIntExact((count + CHUNK - 1) / CHUNK)];
        workers.run(parts.length, (part, worker) -> {
            long first = (long) part * CHUNK;
            parts[part] = kernels.sumOfSquares(x.segment().asSlice(4 * first), Math.min(CHUNK, count - first));
        });
        return Arrays.stream(parts).sum();
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
        Shapes.adamW(parameter, gradient, m, v);
        workers.runRanges(
                parameter.shape().elements(),
                CHUNK,
                (first, count) -> kernels.adamW(
                        parameter.segment().asSlice(4 * first),
                        gradient.segment().asSlice(4 * first),
                        m.segment().asSlice(4 * first),
                        v.segment().asSlice(4 * first),
                        count,
                        step));
    }

    @Override
    public void adamW8(Tensor parameter, Tensor gradient, BlockwiseTensor m, BlockwiseTensor v, AdamWStep step) {
        Shapes.adamW8(parameter, gradient, m, v);
        workers.runRanges(parameter.shape().elements(), BLOCKWISE_CHUNK, (first, count) -> {
            for (long at = first; at < first + count; at += BLOCKWISE_CHUNK) {
                adamW8(parameter, gradient, m, v, step, at, Math.min(BLOCKWISE_CHUNK, first + count - at));
            }
        });
    }

    /** Whole blocks, but for the tensor's last: the means are floats in an arena of the task's own. */
    private void adamW8(
            Tensor parameter,
            Tensor gradient,
            BlockwiseTensor m,
            BlockwiseTensor v,
            AdamWStep step,
            long first,
            long count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mean = arena.allocate(4 * count, 64);
            MemorySegment square = arena.allocate(4 * count, 64);
            BlockwiseCodes.decode(m, first, count, mean);
            BlockwiseCodes.decode(v, first, count, square);
            kernels.adamW(
                    parameter.segment().asSlice(4 * first),
                    gradient.segment().asSlice(4 * first),
                    mean,
                    square,
                    count,
                    step);
            BlockwiseCodes.encode(m, first, count, mean);
            BlockwiseCodes.encode(v, first, count, square);
        }
    }

    @Override
    public void round(Tensor from, Tensor to, Rounding rounding, long seed) {
        Shapes.round(from, to);
        MemorySegment floats = from.segment();
        MemorySegment halves = to.segment();
        workers.runRanges(from.shape().elements(), CHUNK, (first, count) -> {
            if (rounding == Rounding.NEAREST) {
                GradKernels.Rows some = new GradKernels.Rows(floats.asSlice(4 * first), count);
                kernels.narrowRows(DType.BF16, some, new GradKernels.Rows(halves.asSlice(2 * first), count), 1, count);
                return;
            }
            for (long i = first; i < first + count; i++) {
                halves.set(ValueLayout.JAVA_SHORT, 2 * i, rounding.bf16(floats.get(FLOAT, 4 * i), seed, i));
            }
        });
    }

    void close() {
        scratch.close();
    }
}
