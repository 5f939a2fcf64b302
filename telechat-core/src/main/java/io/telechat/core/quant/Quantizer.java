// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.quant;

import static io.telechat.core.tensor.QuantizedLayout.BLOCK;
import static io.telechat.core.tensor.QuantizedLayout.GROUP;
import static io.telechat.core.tensor.QuantizedLayout.PANEL;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Rounds weights to 8 or 4 bits, in groups of 32 columns that share a scale. With 8 bits the scale is the smallest that cuts
 * nothing off; with 4 bits it is that of a few candidates which leaves the smallest squared error, with the sign that puts
 * the group's largest element at −8, where there is one more step than on the other side.
 *
 * @param dtype Q8 or Q4
 */
public record Quantizer(DType dtype) {
    private static final int MAX_8 = 127;
    private static final int MIN_4 = -8;
    private static final int MAX_4 = 7;
    /** Adding and subtracting it rounds to the nearest integer, ties to even. */
    private static final float ROUND = 12582912f;
    /** Candidates for a scale of four bits: codes below and above the one that cuts nothing off. */
    private static final int BELOW = 2;

    private static final int ABOVE = 1;

    /** A matrix of a float type, in host memory, as a new one. */
    public Tensor quantize(Tensor matrix, TensorArena arena) {
        Tensor to = arena.allocate(dtype, matrix.rows(), matrix.columns());
        for (int panel = 0; panel < QuantizedLayout.panels(matrix.rows()); panel++) {
            quantizePanel(matrix, to, panel);
        }
        return to;
    }

    /** Quantizes the 16 rows of a panel, for callers that share the work among threads. */
    public void quantizePanel(Tensor matrix, Tensor to, int panel) {
        int columns = Math.toIntExact(matrix.columns());
        long panelBytes = QuantizedLayout.panelBytes(dtype, columns);
        float[] row = new float[Math.toIntExact(QuantizedLayout.blocks(columns) * BLOCK)];
        MemorySegment segment = to.segment().asSlice(panel * panelBytes, panelBytes);
        for (int r = 0; r < PANEL; r++) {
            long index = (long) panel * PANEL + r;
            if (index < matrix.rows()) {
                FloatRows.copy(matrix, index, row);
            } else {
                Arrays.fill(row, 0);
            }
            quantizeRow(row, segment, r);
        }
    }

    private void quantizeRow(float[] row, MemorySegment panel, int r) {
        float largest = 0;
        float check = 0;
        for (float v : row) {
            largest = Math.max(largest, Math.abs(v));
            check += v * 0;
        }
        // With 4 bits the largest scale is a little below the top, so that there are candidates above it.
        float unit =
                largest / (dtype == DType.Q8 ? MAX_8 * ScaleByte.FOR_Q8.max() : -MIN_4 * 0.8f * ScaleByte.FOR_Q4.max());
        panel.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * r, check == 0 ? unit : Float.NaN);
        byte[] weights = new byte[GROUP];
        for (int first = 0; first < row.length; first += GROUP) {
            int code = 0;
            if (unit > 0 && check == 0) {
                code = dtype == DType.Q8 ? scale8(row, first, unit) : scale4(row, first, unit);
            }
            panel.set(ValueLayout.JAVA_BYTE, QuantizedLayout.scaleOffset(dtype, r, first), (byte) code);
            round(row, first, ScaleByte.of(dtype).value(code) * unit, weights);
            for (int i = 0; i < GROUP; i++) {
                put(panel, r, first + i, weights[i]);
            }
        }
    }

    private static int scale8(float[] row, int first, float unit) {
        float largest = 0;
        for (int i = 0; i < GROUP; i++) {
            largest = Math.max(largest, Math.abs(row[first + i]));
        }
        return ScaleByte.FOR_Q8.ceiling(largest / (MAX_8 * unit));
    }

    private static int scale4(float[] row, int first, float unit) {
        float largest = 0;
        float smallest = 0;
        for (int i = 0; i < GROUP; i++) {
            largest = Math.max(largest, row[first + i]);
            smallest = Math.min(smallest, row[first + i]);
        }
        // A negative scale turns the group around.
        boolean turned = largest > -smallest;
        int exact = ScaleByte.FOR_Q4.ceiling(Math.max(largest, -smallest) / (-MIN_4 * unit));
        int best = 0;
        float bestError = Float.POSITIVE_INFINITY;
        for (int code = Math.max(1, exact - BELOW); code <= Math.min(ScaleByte.FOR_Q4.top(), exact + ABOVE); code++) {
            int candidate = turned ? ScaleByte.negated(code) : code;
            float error = error4(row, first, ScaleByte.FOR_Q4.value(candidate) * unit);
            if (error < bestError) {
                bestError = error;
                best = candidate;
            }
        }
        return best;
    }

    private static float error4(float[] row, int first, float scale) {
        float inverse = 1 / scale;
        float error = 0;
        for (int i = first; i < first + GROUP; i++) {
            float q = row[i] * inverse + ROUND - ROUND;
            q = Math.min(Math.max(q, MIN_4), MAX_4);
            float difference = row[i] - q * scale;
            error += difference * difference;
        }
        return error;
    }

    private void round(float[] row, int first, float scale, byte[] weights) {
        float inverse = scale == 0 ? 0 : 1 / scale;
        int max = dtype == DType.Q8 ? MAX_8 : MAX_4;
        int min = dtype == DType.Q8 ? -MAX_8 : MIN_4;
        for (int i = 0; i < GROUP; i++) {
            float q = row[first + i] * inverse + ROUND - ROUND;
            weights[i] = (byte) Math.min(Math.max(q, min), max);
        }
    }

    private void put(MemorySegment panel, int r, int column, int weight) {
        long at = QuantizedLayout.weightOffset(dtype, r, column);
        int stored = weight + QuantizedLayout.bias(dtype);
        if (dtype == DType.Q4) {
            int before = panel.get(ValueLayout.JAVA_BYTE, at);
            stored = QuantizedLayout.isHighHalf(column) ? before | stored << 4 : before & 0xf0 | stored;
        }
        panel.set(ValueLayout.JAVA_BYTE, at, (byte) stored);
    }
}
