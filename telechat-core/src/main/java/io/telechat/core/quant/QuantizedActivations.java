// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.quant;

import static io.telechat.core.tensor.QuantizedLayout.BLOCK;
import static io.telechat.core.tensor.QuantizedLayout.GROUP;
import static io.telechat.core.tensor.QuantizedLayout.GROUPS;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Activations rounded to integers in groups of 32, as products with quantized weights take them: 12 bits for weights of 8, so
 * that they cost nothing beside the rounded weights, and 8 bits for weights of 4. For each token: its integers, filled up to
 * whole blocks, then the groups' float scales, then the groups' sums of integers, which take the weights' bias off. Integers
 * of 12 bits take 16, and of each four those with even indices come first. The plain-Java twin of quantized_products.h, with the
 * same bits; kernels in C may order bytes otherwise.
 */
public final class QuantizedActivations {
    private static final float ROUND = 12582912f;
    /** 16 times a signed byte and four signed bits: kernels that multiply byte by byte take the two one by one. */
    private static final int MOST_OF_12_BITS = 127 * 16 + 7;
    /** Where in a four each of its integers of 12 bits is. */
    private static final int[] PLACES = {0, 2, 1, 3};

    private final DType weights;
    private final long blocks;

    /** @param weights Q8 or Q4 */
    public QuantizedActivations(DType weights, long columns) {
        this.weights = weights;
        this.blocks = QuantizedLayout.blocks(columns);
    }

    /** Bytes of an integer. */
    public int integerBytes() {
        return weights == DType.Q8 ? Short.BYTES : Byte.BYTES;
    }

    /** Bytes of one token. */
    public long tokenBytes() {
        return blocks * (BLOCK * integerBytes() + 8 * GROUPS);
    }

    /** Where a token's scales begin. */
    public long scalesOffset() {
        return blocks * BLOCK * integerBytes();
    }

    /** Where a token's sums begin. */
    public long sumsOffset() {
        return scalesOffset() + 4 * blocks * GROUPS;
    }

    /**
     * Rounds one token. A group with an infinity or NaN in it gets NaN for its scale.
     *
     * @param x [columns] floats
     * @param to of {@link #tokenBytes}
     */
    public void quantize(MemorySegment x, MemorySegment to) {
        long columns = x.byteSize() / Float.BYTES;
        int most = weights == DType.Q8 ? MOST_OF_12_BITS : Byte.MAX_VALUE;
        float[] group = new float[GROUP];
        for (long g = 0; g < blocks * GROUPS; g++) {
            float largest = 0;
            float check = 0;
            for (int i = 0; i < GROUP; i++) {
                long column = g * GROUP + i;
                group[i] = column < columns ? x.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * column) : 0;
                largest = Math.max(largest, Math.abs(group[i]));
                check += group[i] * 0;
            }
            float inverse = largest > 0 && check == 0 ? most / largest : 0;
            int sum = 0;
            for (int i = 0; i < GROUP; i++) {
                int q = inverse == 0 ? 0 : (int) (group[i] * inverse + ROUND - ROUND);
                put(to, g * GROUP + i, q);
                sum += q;
            }
            to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, scalesOffset() + 4 * g, largest * (1f / most) + check);
            to.set(ValueLayout.JAVA_INT_UNALIGNED, sumsOffset() + 4 * g, sum);
        }
    }

    private void put(MemorySegment to, long index, int q) {
        if (weights == DType.Q8) {
            long place = index / 4 * 4 + PLACES[(int) (index % 4)];
            to.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * place, (short) q);
        } else {
            to.set(ValueLayout.JAVA_BYTE, index, (byte) q);
        }
    }

    /** Integer {@code index} of a token that begins at an offset. */
    public int integer(MemorySegment from, long offset, long index) {
        if (weights == DType.Q8) {
            long place = index / 4 * 4 + PLACES[(int) (index % 4)];
            return from.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 2 * place);
        }
        return from.get(ValueLayout.JAVA_BYTE, offset + index);
    }
}
