// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * {@code y (+)= x · Wᵀ + bias}, split into tiles of weight rows. Every row is a sum of its own, so how they are split does not
 * show in the result.
 */
final class LinearProduct implements AutoCloseable {
    /** Tiles per thread: enough that none waits long for the last one, few enough that each is one long stream of memory. */
    private static final int TILES_PER_THREAD = 8;
    /** Activations of so many tokens are prepared in one task. */
    private static final int TOKENS_PER_TASK = Kernels.ROUNDED_TOGETHER;

    private final WorkerTeam workers;
    private final Kernels kernels;
    private final boolean roundsToBf16;
    private final Scratch[] panels;
    private final Scratch activationsForQ8 = new Scratch();
    private final Scratch activationsForQ4 = new Scratch();
    private final Scratch activationsForBf16 = new Scratch();

    /** @param roundsToBf16 whether activations are rounded to BF16 where they meet BF16 weights */
    LinearProduct(WorkerTeam workers, Kernels kernels, boolean roundsToBf16) {
        this.workers = workers;
        this.kernels = kernels;
        this.roundsToBf16 = roundsToBf16;
        this.panels = Scratch.perThread(workers.size());
    }

    /** @param add whether to add to what is in {@code y} already */
    void run(Tensor x, Weight w, Tensor y, boolean add) {
        RowTiles tiles = RowTiles.of(w, rowsPerTile(w));
        workers.runTogether(tiles.count(), new Job(tiles, inputs(x, w), x.rows(), y, add));
    }

    /** One call's operands. A class: to make a lambda takes a call into the JVM until the second compiler has been there. */
    private final class Job implements WorkerTeam.Tasks {
        private final RowTiles tiles;
        private final Inputs inputs;
        private final long tokens;
        private final Tensor y;
        private final boolean add;

        Job(RowTiles tiles, Inputs inputs, long tokens, Tensor y, boolean add) {
            this.tiles = tiles;
            this.inputs = inputs;
            this.tokens = tokens;
            this.y = y;
            this.add = add;
        }

        @Override
        public void run(int first, int end, int worker) {
            for (RowTiles.Rows rows : tiles.rows(first, end)) {
                multiply(rows, worker);
            }
        }

        private void multiply(RowTiles.Rows rows, int worker) {
            DType type = rows.block().matrix().dtype();
            long columns = rows.block().matrix().columns();
            Kernels.Product product = new Kernels.Product(
                    rows.segment(),
                    rows.count(),
                    columns,
                    inputs.of(type),
                    tokens,
                    rows.bias(),
                    y.segment().asSlice(4L * rows.column()),
                    y.columns(),
                    add);
            if (type.isQuantized()) {
                kernels.linearQuantized(type, product);
            } else if (type == DType.BF16 && roundsToBf16) {
                kernels.linearBf16(product);
            } else {
                kernels.linear(type, product, panels[worker].floats(kernels.linearScratch(columns)));
            }
        }
    }

    /** The activations in the forms that blocks of different types take them in; absent if there is no such block. */
    private record Inputs(MemorySegment plain, MemorySegment bf16, MemorySegment q8, MemorySegment q4) {
        MemorySegment of(DType weights) {
            return switch (weights) {
                case BF16 -> bf16;
                case Q8 -> q8;
                case Q4 -> q4;
                default -> plain;
            };
        }
    }

    private Inputs inputs(Tensor x, Weight w) {
        MemorySegment bf16 = MemorySegment.NULL;
        if (has(w, DType.BF16)) {
            bf16 = roundsToBf16
                    ? prepare(x, activationsForBf16, kernels.roundedBytes(x.columns()), kernels::roundTokens)
                    : prepare(x, activationsForBf16, 4 * x.columns(), kernels::pair);
        }
        return new Inputs(
                x.segment(),
                bf16,
                rounded(x, w, DType.Q8, activationsForQ8),
                rounded(x, w, DType.Q4, activationsForQ4));
    }

    private MemorySegment rounded(Tensor x, Weight w, DType weights, Scratch scratch) {
        if (!has(w, weights)) {
            return MemorySegment.NULL;
        }
        long tokenBytes = kernels.quantizedBytes(weights, x.columns());
        return prepare(
                x,
                scratch,
                tokenBytes,
                (from, tokens, columns, to) -> kernels.quantize(weights, from, tokens, columns, to));
    }

    private static boolean has(Weight w, DType type) {
        List<Weight.Block> blocks = w.blocks();
        for (int i = 0; i < blocks.size(); i++) {
            if (blocks.get(i).matrix().dtype() == type) {
                return true;
            }
        }
        return false;
    }

    private interface Preparation {
        void run(MemorySegment x, long tokens, long columns, MemorySegment to);
    }

    private MemorySegment prepare(Tensor x, Scratch scratch, long tokenBytes, Preparation preparation) {
        MemorySegment to = scratch.bytes(x.rows() * tokenBytes);
        workers.runRanges(x.rows(), TOKENS_PER_TASK, (first, count) -> {
            MemorySegment from = x.segment().asSlice(4 * first * x.columns());
            preparation.run(from, count, x.columns(), to.asSlice(first * tokenBytes));
        });
        return to;
    }

    private int rowsPerTile(Weight w) {
        long share = w.outFeatures() / ((long) workers.size() * TILES_PER_THREAD);
        return Math.toIntExact(QuantizedLayout.panels(Math.max(1, share)) * QuantizedLayout.PANEL);
    }

    @Override
    public void close() {
        activationsForQ8.close();
        activationsForQ4.close();
        activationsForBf16.close();
        for (Scratch panel : panels) {
            panel.close();
        }
    }
}
