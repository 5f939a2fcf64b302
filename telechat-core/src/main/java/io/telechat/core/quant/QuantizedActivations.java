// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.quant;

import static io.telechat.core.tensor.QuantizedLayout.BLOCK;
import static io.telechat.core.tensor.QuantizedLayout.GROUP;

import io.telechat.core.tensor.QuantizedLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Activations rounded to 8 bits in groups of 32, as products with quantized weights take them. For each token: its bytes,
 * filled up to whole blocks, then the groups' float scales, then the groups' sums of bytes, which take the weights' bias off.
 * The plain-Java twin of {@code quantize} in quantized_products.h, with the same bits.
 */
public final class QuantizedActivations {
    private static final float ROUND = 12582912f;

    private QuantizedActivations() {}

    /** Bytes of one token. */
    public static long tokenBytes(long columns) {
        return QuantizedLayout.blocks(columns) * (BLOCK + 8 * QuantizedLayout.GROUPS);
    }

    /** Where a token's scales begin. */
    public static long scalesOffset(long columns) {
        return QuantizedLayout.blocks(columns) * BLOCK;
    }

    /** Where a token's sums begin. */
    public static long sumsOffset(long columns) {
        return QuantizedLayout.blocks(columns) * (BLOCK + 4 * QuantizedLayout.GROUPS);
    }

    /**
     * Rounds one token. A group with an infinity or NaN in it gets NaN for its scale.
     *
     * @param x [columns] floats
     * @param to of {@link #tokenBytes}
     */
    public static void quantize(MemorySegment x, long columns, MemorySegment to) {
        long groups = scalesOffset(columns) / GROUP;
        float[] group = new float[GROUP];
        for (long g = 0; g < groups; g++) {
            float largest = 0;
            float check = 0;
            for (int i = 0; i < GROUP; i++) {
                long column = g * GROUP + i;
                group[i] = column < columns ? x.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * column) : 0;
                largest = Math.max(largest, Math.abs(group[i]));
                check += group[i] * 0;
            }
            float inverse = largest > 0 && check == 0 ? 127 / largest : 0;
            int sum = 0;
            for (int i = 0; i < GROUP; i++) {
                byte q = (byte) (inverse == 0 ? 0 : Float.floatToRawIntBits(group[i] * inverse + ROUND));
                to.set(ValueLayout.JAVA_BYTE, g * GROUP + i, q);
                sum += q;
            }
            to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, scalesOffset(columns) + 4 * g, largest * (1 / 127f) + check);
            to.set(ValueLayout.JAVA_INT_UNALIGNED, sumsOffset(columns) + 4 * g, sum);
        }
    }
}
