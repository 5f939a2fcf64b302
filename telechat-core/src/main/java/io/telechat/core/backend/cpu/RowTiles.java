// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.ops.Weight;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The rows of a weight's blocks, cut into tiles of at most so many rows; no tile reaches across two blocks. */
final class RowTiles {
    private final List<Weight.Block> blocks;
    private final int rowsPerTile;
    /** Number of tiles, and of rows, before each block; one entry more for the end. */
    private final int[] tilesBefore;

    private final int[] rowsBefore;

    /**
     * Some neighbouring rows of one block.
     *
     * @param block they are part of
     * @param first the first of them
     * @param count how many
     * @param column the feature that the first of them computes
     */
    record Rows(Weight.Block block, int first, int count, int column) {
        MemorySegment segment() {
            return block.matrix().segment(first, first + count);
        }

        /** [count], or {@link MemorySegment#NULL}. */
        MemorySegment bias() {
            return block.bias().isPresent() ? block.bias().get().segment().asSlice(4L * first) : MemorySegment.NULL;
        }
    }

    private RowTiles(List<Weight.Block> blocks, int rowsPerTile) {
        this.blocks = blocks;
        this.rowsPerTile = rowsPerTile;
        this.tilesBefore = new int[blocks.size() + 1];
        this.rowsBefore = new int[blocks.size() + 1];
        for (int i = 0; i < blocks.size(); i++) {
            int rows = Math.toIntExact(blocks.get(i).rows());
            rowsBefore[i + 1] = rowsBefore[i] + rows;
            tilesBefore[i + 1] = tilesBefore[i] + (rows + rowsPerTile - 1) / rowsPerTile;
        }
    }

    static RowTiles of(Weight weight, int rowsPerTile) {
        return new RowTiles(weight.blocks(), rowsPerTile);
    }

    int count() {
        return tilesBefore[blocks.size()];
    }

    /** The rows of the tiles from {@code first} to before {@code end}, as many of a block together as there are. */
    List<Rows> rows(int first, int end) {
        List<Rows> found = new ArrayList<>();
        int tile = first;
        for (int i = 0; tile < end; i++) {
            if (tile < tilesBefore[i + 1]) {
                int last = Math.min(end, tilesBefore[i + 1]);
                int row = (tile - tilesBefore[i]) * rowsPerTile;
                int stop = Math.min((last - tilesBefore[i]) * rowsPerTile, rowsBefore[i + 1] - rowsBefore[i]);
                found.add(new Rows(blocks.get(i), row, stop - row, rowsBefore[i] + row));
                tile = last;
            }
        }
        return found;
    }
}
