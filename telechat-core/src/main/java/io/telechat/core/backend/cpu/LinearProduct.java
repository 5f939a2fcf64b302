// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.QuantizedActivations;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * {@code y (+)= x · Wᵀ + bias}, split into tiles of weight rows. Every row is a sum of its own, so how they are split does not
 * show in the result.
 */
final class LinearProduct implements AutoCloseable {
    /** Tiles per thread: enough that none waits long for the last one, few enough that each is one long stream of memory. */
    private static final int TILES_PER_THREAD = 8;
    /** Activations of so many tokens are rounded in one task. */
    private static final int TOKENS_PER_TASK = 8;

    private final WorkerTeam workers;
    private final Kernels kernels;
    private final Scratch[] panels;
    private final Scratch roundedActivations = new Scratch();

    LinearProduct(WorkerTeam workers, Kernels kernels) {
        this.workers = workers;
        this.kernels = kernels;
        this.panels = Scratch.perThread(workers.size());
    }

    /** @param add whether to add to what is in {@code y} already */
    void run(Tensor x, Weight w, Tensor y, boolean add) {
        boolean quantized = w.blocks().stream().anyMatch(block -> block.dtype().isQuantized());
        MemorySegment rounded = quantized ? round(x) : MemorySegment.NULL;
        RowTiles tiles = RowTiles.of(w, rowsPerTile(w));
        MemorySegment bias = w.bias().map(Tensor::segment).orElse(MemorySegment.NULL);
        workers.run(tiles.count(), (index, worker) -> {
            RowTiles.Tile tile = tiles.tile(index);
            Tensor rows = tile.rows();
            Kernels.Product product = new Kernels.Product(
                    rows.segment(),
                    rows.rows(),
                    rows.columns(),
                    rows.dtype().isQuantized() ? rounded : x.segment(),
                    x.rows(),
                    w.bias().isPresent() ? bias.asSlice(4L * tile.column()) : bias,
                    y.segment().asSlice(4L * tile.column()),
                    y.columns(),
                    add);
            if (rows.dtype().isQuantized()) {
                kernels.linearQuantized(rows.dtype(), product);
            } else {
                MemorySegment scratch = panels[worker].floats(Kernels.linearScratch(rows.columns()));
                kernels.linear(rows.dtype(), product, scratch);
            }
        });
    }

    private int rowsPerTile(Weight w) {
        long share = w.outFeatures() / ((long) workers.size() * TILES_PER_THREAD);
        return Math.toIntExact(QuantizedLayout.panels(Math.max(1, share)) * QuantizedLayout.PANEL);
    }

    private MemorySegment round(Tensor x) {
        long columns = x.columns();
        long bytes = QuantizedActivations.tokenBytes(columns);
        MemorySegment to = roundedActivations.bytes(x.rows() * bytes);
        int tasks = Math.toIntExact((x.rows() + TOKENS_PER_TASK - 1) / TOKENS_PER_TASK);
        workers.run(tasks, (task, worker) -> {
            long first = (long) task * TOKENS_PER_TASK;
            long count = Math.min(TOKENS_PER_TASK, x.rows() - first);
            kernels.quantize(
                    x.segment().asSlice(4 * first * columns), count, columns, to.asSlice(first * bytes, count * bytes));
        });
        return to;
    }

    @Override
    public void close() {
        roundedActivations.close();
        for (Scratch panel : panels) {
            panel.close();
        }
    }
}
