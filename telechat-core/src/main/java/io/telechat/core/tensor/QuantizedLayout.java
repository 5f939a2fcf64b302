// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

/**
 * How the bytes of a quantized matrix [rows, columns] lie, made for kernels that compute 16 rows at once.
 *
 * <p>The matrix is a sequence of <em>panels</em> of 16 rows; the last one is filled up with zeros. A panel is a float32 per
 * row, then blocks of 128 columns, the last one filled up, too. A block is 4 times 16 scale bytes (for each group of 32
 * columns, one per row), then the weights by <em>quads</em>: four neighbouring columns of row 0, then of row 1, up to row 15.
 * With 8 bits a quad is 64 bytes; with 4 bits the low halves of 64 bytes are one quad and the high halves the next. Then
 * {@code weight = row's float · scale · (stored − bias)}, where the bias is 128 or 8.
 */
public final class QuantizedLayout {
    /** Rows of a panel. */
    public static final int PANEL = 16;
    /** Columns of a block. */
    public static final int BLOCK = 128;
    /** Columns that share a scale. */
    public static final int GROUP = 32;
    /** Groups of a block. */
    public static final int GROUPS = BLOCK / GROUP;
    /** Columns of a quad. */
    public static final int QUAD = 4;
    /** Bytes of the floats at the beginning of a panel. */
    public static final int HEADER = PANEL * Float.BYTES;

    private QuantizedLayout() {}

    /** Bits of a stored weight: 8 or 4. */
    public static int bits(DType dtype) {
        return switch (dtype) {
            case Q8 -> 8;
            case Q4 -> 4;
            default -> throw new IllegalArgumentException(dtype + " is not quantized");
        };
    }

    /** What was added to a weight when it was stored. */
    public static int bias(DType dtype) {
        return 1 << (bits(dtype) - 1);
    }

    public static long blocks(long columns) {
        return (columns + BLOCK - 1) / BLOCK;
    }

    public static long panels(long rows) {
        return (rows + PANEL - 1) / PANEL;
    }

    /** Bytes of one group's weights, of all 16 rows. */
    public static int groupBytes(DType dtype) {
        return PANEL * GROUP * bits(dtype) / 8;
    }

    public static int blockBytes(DType dtype) {
        return GROUPS * (PANEL + groupBytes(dtype));
    }

    public static long panelBytes(DType dtype, long columns) {
        return HEADER + Math.multiplyExact(blocks(columns), (long) blockBytes(dtype));
    }

    static long bytes(DType dtype, Shape shape) {
        if (shape.rank() != 2) {
            throw new IllegalArgumentException(dtype + " is for matrices, not for " + shape);
        }
        return Math.multiplyExact(panels(shape.dim(0)), panelBytes(dtype, shape.dim(1)));
    }

    /** Where the scale byte of a row's group is within its panel. */
    public static long scaleOffset(DType dtype, int row, long column) {
        return HEADER + column / BLOCK * blockBytes(dtype) + column % BLOCK / GROUP * PANEL + row;
    }

    /** Where the byte of a weight is within its panel. */
    public static long weightOffset(DType dtype, int row, long column) {
        int inBlock = (int) (column % BLOCK);
        int quad = inBlock / QUAD;
        int bytesPerQuad = PANEL * QUAD;
        int line = bits(dtype) == 8 ? quad : quad / 2;
        return HEADER
                + column / BLOCK * blockBytes(dtype)
                + GROUPS * PANEL
                + (long) line * bytesPerQuad
                + (long) row * QUAD
                + inBlock % QUAD;
    }

    /** Whether a weight of 4 bits is in the high half of its byte. */
    public static boolean isHighHalf(long column) {
        return column / QUAD % 2 == 1;
    }
}
