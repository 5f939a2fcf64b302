// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Copies a matrix transposed, band by band of its rows, so that what is read may come from a disk, and tile by tile through
 * the first-level cache: the rows of a matrix are often a multiple of 4 KiB apart, where few of them fit the cache at once.
 * Tiles are arrays since code that isn't compiled yet is much faster with these than with segments.
 */
final class Transposition {
    /** Rows and columns of a tile: whole cache lines of either side, and tiles of floats take half of a 32 KiB cache. */
    private static final int TILE = 64;

    private Transposition() {}

    /**
     * @param from [rows, columns] of two or four bytes an element
     * @param to [columns, rows] of the same type
     */
    static void copy(Tensor from, Tensor to, WorkerTeam workers) {
        copy(from, 0, to, workers);
    }

    /**
     * Some columns, of which alone the pages are read.
     *
     * @param first of the columns
     * @param to [so many columns, rows]
     */
    static void copy(Tensor from, long first, Tensor to, WorkerTeam workers) {
        int bands = Math.toIntExact((from.rows() + TILE - 1) / TILE);
        boolean wide = from.dtype().bytes() == Integer.BYTES;
        workers.run(bands, (band, worker) -> {
            int row = band * TILE;
            int rows = Math.toIntExact(Math.min(TILE, from.rows() - row));
            if (wide) {
                copyInts(from, first, to, row, rows);
            } else {
                copyShorts(from, first, to, row, rows);
            }
        });
    }

    private static void copyInts(Tensor matrix, long first, Tensor transposed, int row, int rows) {
        MemorySegment from = matrix.segment();
        MemorySegment to = transposed.segment();
        long height = matrix.rows();
        long width = transposed.rows();
        int[] line = new int[TILE];
        int[] tile = new int[TILE * TILE];
        for (long column = 0; column < width; column += TILE) {
            int columns = (int) Math.min(TILE, width - column);
            for (int r = 0; r < rows; r++) {
                long at = ((row + r) * matrix.columns() + first + column) * Integer.BYTES;
                MemorySegment.copy(from, ValueLayout.JAVA_INT_UNALIGNED, at, line, 0, columns);
                for (int c = 0; c < columns; c++) {
                    tile[c * TILE + r] = line[c];
                }
            }
            for (int c = 0; c < columns; c++) {
                long at = ((column + c) * height + row) * Integer.BYTES;
                MemorySegment.copy(tile, c * TILE, to, ValueLayout.JAVA_INT_UNALIGNED, at, rows);
            }
        }
    }

    private static void copyShorts(Tensor matrix, long first, Tensor transposed, int row, int rows) {
        MemorySegment from = matrix.segment();
        MemorySegment to = transposed.segment();
        long height = matrix.rows();
        long width = transposed.rows();
        short[] line = new short[TILE];
        short[] tile = new short[TILE * TILE];
        for (long column = 0; column < width; column += TILE) {
            int columns = (int) Math.min(TILE, width - column);
            for (int r = 0; r < rows; r++) {
                long at = ((row + r) * matrix.columns() + first + column) * Short.BYTES;
                MemorySegment.copy(from, ValueLayout.JAVA_SHORT_UNALIGNED, at, line, 0, columns);
                for (int c = 0; c < columns; c++) {
                    tile[c * TILE + r] = line[c];
                }
            }
            for (int c = 0; c < columns; c++) {
                long at = ((column + c) * height + row) * Short.BYTES;
                MemorySegment.copy(tile, c * TILE, to, ValueLayout.JAVA_SHORT_UNALIGNED, at, rows);
            }
        }
    }
}
