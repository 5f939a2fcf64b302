// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.quant;

import static io.telechat.core.tensor.QuantizedLayout.GROUP;
import static io.telechat.core.tensor.QuantizedLayout.PANEL;
import static io.telechat.core.tensor.QuantizedLayout.QUAD;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Rows of weights of any type as floats. */
public final class FloatRows {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private FloatRows() {}

    /** Copies a row of a host matrix to the beginning of {@code to}. */
    public static void copy(Tensor matrix, long row, float[] to) {
        int columns = Math.toIntExact(matrix.columns());
        MemorySegment from = matrix.segment();
        switch (matrix.dtype()) {
            case F32 -> MemorySegment.copy(from, ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * row * columns, to, 0, columns);
            case BF16 -> {
                for (int i = 0; i < columns; i++) {
                    to[i] = Tensor.bf16ToFloat(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * (row * columns + i)));
                }
            }
            case F16 -> {
                for (int i = 0; i < columns; i++) {
                    to[i] = Float.float16ToFloat(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * (row * columns + i)));
                }
            }
            case Q8, Q4 -> dequantize(matrix, row, to);
            default -> throw new IllegalArgumentException(matrix + " is not a matrix of weights");
        }
    }

    private static void dequantize(Tensor matrix, long row, float[] to) {
        DType dtype = matrix.dtype();
        long panelBytes = QuantizedLayout.panelBytes(dtype, matrix.columns());
        MemorySegment panel = matrix.segment().asSlice(row / PANEL * panelBytes, panelBytes);
        int r = (int) (row % PANEL);
        float unit = panel.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * r);
        int bias = QuantizedLayout.bias(dtype);
        ScaleByte scales = ScaleByte.of(dtype);
        int columns = Math.toIntExact(matrix.columns());
        float scale = 0;
        for (int column = 0; column < columns; column += QUAD) {
            if (column % GROUP == 0) {
                scale = scales.value(panel.get(ValueLayout.JAVA_BYTE, QuantizedLayout.scaleOffset(dtype, r, column)));
            }
            int quad = panel.get(INT, QuantizedLayout.weightOffset(dtype, r, column));
            if (dtype == DType.Q4) {
                quad = (QuantizedLayout.isHighHalf(column) ? quad >>> 4 : quad) & 0x0f0f0f0f;
            }
            for (int i = column; i < Math.min(column + QUAD, columns); i++, quad >>>= 8) {
                to[i] = unit * (scale * ((quad & 0xff) - bias));
            }
        }
    }

    /** A whole matrix, row-major. */
    public static float[] of(Tensor matrix) {
        int columns = Math.toIntExact(matrix.columns());
        float[] all = new float[Math.toIntExact(matrix.rows() * columns)];
        float[] row = new float[columns];
        for (int r = 0; r < matrix.rows(); r++) {
            copy(matrix, r, row);
            System.arraycopy(row, 0, all, r * columns, columns);
        }
        return all;
    }
}
