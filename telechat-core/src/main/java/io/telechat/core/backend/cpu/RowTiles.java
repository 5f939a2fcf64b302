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

    /**
     * Some neighbouring rows of one block.
     *
     * @param rows [rows, in]
     * @param column the feature that the first of them computes
     */
    record Tile(Tensor rows, int column) {}

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

    Tile tile(int index) {
        int block = 0;
        while (tilesBefore[block + 1] <= index) {
            block++;
        }
        int first = (index - tilesBefore[block]) * rowsPerTile;
        long last = Math.min((long) first + rowsPerTile, blocks.get(block).rows());
        return new Tile(blocks.get(block).rows(first, last), rowsBefore[block] + first);
    }
}
