// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.backend.cpu.kernel.DotKernel;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.NativeDots;
import io.telechat.core.backend.cpu.kernel.WidenKernel;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * {@code y (+)= x · Wᵀ + bias}, split into tiles of weight rows. The tiles depend on the weight only, so results do not
 * depend on the number of threads.
 */
final class LinearProduct {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Weight rows per task of inner products: a few µs of work. */
    private static final int DOT_ROWS = 32;
    /** Weight rows per task of OpenBLAS: wide enough that packing x again for each task is cheap. */
    private static final int GEMM_ROWS = 256;
    /** From this many rows of x on, OpenBLAS wins over inner products. */
    private static final int GEMM_TOKENS = 8;
    /** Likewise for narrower weights, which have to be widened into panels first, where there are inner products in C. */
    private static final int GEMM_TOKENS_WIDENING = 24;
    /** Products below this many multiplications are not worth loading OpenBLAS for. */
    private static final long GEMM_WORK = 1L << 24;

    private final WorkerTeam workers;
    private final Optional<NativeDots> nativeDots;
    private final float[][] rowScratch;
    private final Tensor[] panelScratch;
    private final MemorySegment[] productScratch;
    private final HostArena arena = new HostArena();

    LinearProduct(WorkerTeam workers, KernelTier tier) {
        this.workers = workers;
        this.nativeDots = tier == KernelTier.VECTOR ? Optional.empty() : Optional.of(NativeDots.of(tier));
        this.productScratch = new MemorySegment[workers.size()];
        for (int i = 0; i < productScratch.length; i++) {
            productScratch[i] = arena.allocate(DType.F32, DOT_ROWS).segment();
        }
        this.rowScratch = new float[workers.size()][0];
        this.panelScratch = new Tensor[workers.size()];
    }

    /** @param add whether to add to what is in {@code y} already */
    void run(Tensor x, Weight w, Tensor y, boolean add) {
        boolean widens = w.blocks().getFirst().dtype() != DType.F32;
        boolean gemm = x.rows() >= (widens && nativeDots.isPresent() ? GEMM_TOKENS_WIDENING : GEMM_TOKENS)
                && x.rows() * w.inFeatures() * w.outFeatures() >= GEMM_WORK
                && OpenBlas.isUsable();
        RowTiles tiles = RowTiles.of(w, gemm ? GEMM_ROWS : DOT_ROWS);
        float[] bias = w.bias().map(Tensor::toFloats).orElse(null);
        if (gemm) {
            if (bias != null) {
                fillBias(y, bias, add);
            }
            workers.run(tiles.count(), (tile, worker) -> gemm(x, tiles, tile, y, add || bias != null, worker));
        } else if (nativeDots.isPresent()) {
            NativeDots kernels = nativeDots.get();
            workers.run(tiles.count(), (tile, worker) -> nativeDots(kernels, x, tiles, tile, bias, y, add, worker));
        } else {
            Rows input = Rows.of(x, w);
            workers.run(tiles.count(), (tile, worker) -> dots(input, tiles, tile, bias, y, add, worker));
        }
    }

    private void nativeDots(
            NativeDots kernels, Tensor x, RowTiles tiles, int tile, float[] bias, Tensor y, boolean add, int worker) {
        Tensor block = tiles.block(tile);
        int first = tiles.first(tile);
        int rows = tiles.last(tile) - first;
        int firstColumn = tiles.column(tile);
        long in = block.columns();
        long rowBytes = in * block.dtype().bytes();
        MemorySegment weights = block.segment().asSlice(first * rowBytes, rows * rowBytes);
        MemorySegment products = productScratch[worker];
        MemorySegment target = y.segment();
        for (long t = 0; t < x.rows(); t++) {
            kernels.run(block.dtype(), weights, x.segment().asSlice(4 * t * in, 4 * in), products, rows, in);
            long at = 4 * (t * y.columns() + firstColumn);
            for (int r = 0; r < rows; r++, at += 4) {
                float value = products.get(FLOAT, 4L * r) + (bias == null ? 0 : bias[firstColumn + r]);
                target.set(FLOAT, at, add ? target.get(FLOAT, at) + value : value);
            }
        }
    }

    /** Rows of activations, in their own order and (where there are bfloat16 weights) in that of {@link DotKernel#bf16}. */
    private record Rows(float[] plain, float[] paired, int length) {
        static Rows of(Tensor x, Weight w) {
            float[] plain = x.toFloats();
            int length = Math.toIntExact(x.columns());
            boolean pairs = w.blocks().stream().anyMatch(block -> block.dtype() == DType.BF16);
            return new Rows(plain, pairs ? DotKernel.pair(plain, length) : plain, length);
        }

        int count() {
            return plain.length / length;
        }
    }

    private void dots(Rows x, RowTiles tiles, int tile, float[] bias, Tensor y, boolean add, int worker) {
        Tensor block = tiles.block(tile);
        int out = Math.toIntExact(y.columns());
        MemorySegment target = y.segment();
        int first = tiles.first(tile);
        int last = tiles.last(tile);
        int firstColumn = tiles.column(tile);
        for (int r = first; r < last; r++) {
            int column = firstColumn + r - first;
            for (int t = 0; t < x.count(); t++) {
                long at = 4L * ((long) t * out + column);
                float value = dot(block, r, x, t, worker) + (bias == null ? 0 : bias[column]);
                target.set(FLOAT, at, add ? target.get(FLOAT, at) + value : value);
            }
        }
    }

    private float dot(Tensor block, int row, Rows x, int t, int worker) {
        int length = x.length();
        long offset = (long) row * length * block.dtype().bytes();
        return switch (block.dtype()) {
            case F32 -> DotKernel.f32(block.segment(), offset, x.plain(), t * length, length);
            case BF16 -> DotKernel.bf16(block.segment(), offset, x.paired(), t * length, length);
            default -> {
                // Widened once per row of weights, into scratch that stays in the first-level cache.
                if (t == 0) {
                    WidenKernel.toFloats(
                            block.segment(), block.dtype(), (long) row * length, scratch(worker, length), 0, length);
                }
                yield DotKernel.f32(MemorySegment.ofArray(rowScratch[worker]), 0, x.plain(), t * length, length);
            }
        };
    }

    private float[] scratch(int worker, int length) {
        if (rowScratch[worker].length < length) {
            rowScratch[worker] = new float[length];
        }
        return rowScratch[worker];
    }

    private void gemm(Tensor x, RowTiles tiles, int tile, Tensor y, boolean add, int worker) {
        Tensor block = tiles.block(tile);
        int in = Math.toIntExact(block.columns());
        int rows = tiles.last(tile) - tiles.first(tile);
        MemorySegment panel;
        if (block.dtype() == DType.F32) {
            panel = block.segment().asSlice(4L * tiles.first(tile) * in, 4L * rows * in);
        } else {
            panel = widenPanel(block, tiles.first(tile), rows, in, worker);
        }
        int out = Math.toIntExact(y.columns());
        OpenBlas.multiplyTransposed(
                Math.toIntExact(x.rows()),
                rows,
                in,
                x.segment(),
                panel,
                add ? 1 : 0,
                y.segment().asSlice(4L * tiles.column(tile)),
                out);
    }

    private MemorySegment widenPanel(Tensor block, int first, int rows, int in, int worker) {
        long size = (long) GEMM_ROWS * in;
        if (panelScratch[worker] == null || panelScratch[worker].shape().elements() < size) {
            panelScratch[worker] = arena.allocate(DType.F32, size);
        }
        MemorySegment panel = panelScratch[worker].segment();
        float[] row = scratch(worker, in);
        for (int r = 0; r < rows; r++) {
            WidenKernel.toFloats(block.segment(), block.dtype(), (long) (first + r) * in, row, 0, in);
            MemorySegment.copy(row, 0, panel, FLOAT, 4L * r * in, in);
        }
        return panel;
    }

    private void fillBias(Tensor y, float[] bias, boolean add) {
        workers.run(Math.toIntExact(y.rows()), (t, worker) -> {
            long at = 4L * t * bias.length;
            for (int i = 0; i < bias.length; i++) {
                float before = add ? y.segment().get(FLOAT, at + 4L * i) : 0;
                y.segment().set(FLOAT, at + 4L * i, before + bias[i]);
            }
        });
    }

    void close() {
        arena.close();
    }
}
