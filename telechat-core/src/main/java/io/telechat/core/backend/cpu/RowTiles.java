// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.util.List;

/** The rows of a weight's blocks, cut into tiles of at most so many rows; no tile reaches across two blocks. */
final class RowTiles {
    private final List<Tensor> blocks;
    private final int rowsPerTile;
    /** Number of tiles, and of rows, before each block; one entry more for the end. */
    private final int[] tilesBefore;

    private final int[] rowsBefore;

    private RowTiles(List<Tensor> blocks, int rowsPerTile) {
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

    private int blockIndex(int tile) {
        int block = 0;
        while (tilesBefore[block + 1] <= tile) {
            block++;
        }
        return block;
    }

    /** The block that a tile is part of. */
    Tensor block(int tile) {
        return blocks.get(blockIndex(tile));
    }

    /** First row of a tile within its block. */
    int first(int tile) {
        return (tile - tilesBefore[blockIndex(tile)]) * rowsPerTile;
    }

    /** The row behind a tile's last, within its block. */
    int last(int tile) {
        return Math.min(first(tile) + rowsPerTile, Math.toIntExact(block(tile).rows()));
    }

    /** The feature that a tile's first row computes. */
    int column(int tile) {
        return rowsBefore[blockIndex(tile)] + first(tile);
    }
}
