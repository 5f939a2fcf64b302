// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import static io.telechat.core.tensor.QuantizedLayout.BLOCK;
import static io.telechat.core.tensor.QuantizedLayout.GROUP;
import static io.telechat.core.tensor.QuantizedLayout.GROUPS;
import static io.telechat.core.tensor.QuantizedLayout.HEADER;
import static io.telechat.core.tensor.QuantizedLayout.PANEL;
import static io.telechat.core.tensor.QuantizedLayout.QUAD;

import io.telechat.core.backend.cpu.kernel.Kernels.Product;
import io.telechat.core.quant.QuantizedActivations;
import io.telechat.core.quant.ScaleByte;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Products with quantized weights. A block of a panel is widened to ints once and multiplied with each token; sums of integers
 * are exact and the floats come in the same order, so the result has the same bits as that of the kernels in C.
 */
final class QuantizedKernel {
    private static final int LINE = PANEL * QUAD;
    private static final int QUADS_PER_GROUP = GROUP / QUAD;

    private QuantizedKernel() {}

    static void run(DType type, Product p) {
        QuantizedActivations activations = new QuantizedActivations(type, p.columns());
        long panelBytes = QuantizedLayout.panelBytes(type, p.columns());
        int tokens = Math.toIntExact(p.tokens());
        Block block = new Block(type);
        float[][] sums = new float[tokens][PANEL];
        for (long first = 0, at = 0; first < p.rows(); first += PANEL, at += panelBytes) {
            for (float[] sum : sums) {
                Arrays.fill(sum, 0);
            }
            for (long b = 0; b < QuantizedLayout.blocks(p.columns()); b++) {
                block.read(p.weights(), at + HEADER + b * QuantizedLayout.blockBytes(type));
                for (int t = 0; t < tokens; t++) {
                    block.multiply(p.x(), activations, t, b, sums[t]);
                }
            }
            int rows = (int) Math.min(PANEL, p.rows() - first);
            for (int t = 0; t < tokens; t++) {
                for (int r = 0; r < rows; r++) {
                    float unit = p.weights().get(ValueLayout.JAVA_FLOAT_UNALIGNED, at + 4L * r);
                    ProductOutput.put(p, t, first + r, sums[t][r] * unit);
                }
            }
        }
    }

    /** 16 rows by 128 columns: the weights less their bias, quad by quad, and the scales. */
    private static final class Block {
        private final DType type;
        private final int[] weights = new int[PANEL * BLOCK];
        private final float[] scales = new float[GROUPS * PANEL];
        private final int[] fours = new int[GROUP * Lanes.COUNT / QUAD];
        private final int[] lanes = new int[LINE];

        Block(DType type) {
            this.type = type;
        }

        void read(MemorySegment from, long offset) {
            for (int i = 0; i < scales.length; i++) {
                scales[i] = ScaleByte.of(type).value(from.get(ValueLayout.JAVA_BYTE, offset + i));
            }
            long start = offset + scales.length;
            int bias = QuantizedLayout.bias(type);
            if (type == DType.Q8) {
                for (int i = 0; i < weights.length; i += Lanes.COUNT) {
                    ints(from, start + i).sub(bias).intoArray(weights, i);
                }
                return;
            }
            for (int line = 0; line < weights.length; line += 2 * LINE) {
                for (int i = 0; i < LINE; i += Lanes.COUNT) {
                    IntVector both = ints(from, start + line / 2 + i);
                    both.and(15).sub(bias).intoArray(weights, line + i);
                    both.lanewise(VectorOperators.LSHR, 4).sub(bias).intoArray(weights, line + LINE + i);
                }
            }
        }

        private static IntVector ints(MemorySegment from, long offset) {
            ByteVector bytes = ByteVector.fromMemorySegment(Lanes.BYTES, from, offset, Lanes.ORDER);
            return (IntVector) bytes.convertShape(VectorOperators.ZERO_EXTEND_B2I, Lanes.INTS, 0);
        }

        void multiply(MemorySegment x, QuantizedActivations activations, int token, long blockIndex, float[] sums) {
            long base = token * activations.tokenBytes();
            for (int g = 0; g < GROUPS; g++) {
                long group = blockIndex * GROUPS + g;
                for (int i = 0; i < fours.length; i++) {
                    // A quad's four, again and again over all lanes of a vector.
                    long index = group * GROUP + i / Lanes.COUNT * QUAD + i % QUAD;
                    fours[i] = activations.integer(x, base, index);
                }
                multiplyGroup(g * GROUP * PANEL);
                float factor = x.get(ValueLayout.JAVA_FLOAT_UNALIGNED, base + activations.scalesOffset() + 4 * group);
                for (int r = 0; r < PANEL; r++) {
                    int sum = lanes[4 * r] + lanes[4 * r + 1] + lanes[4 * r + 2] + lanes[4 * r + 3];
                    sums[r] = Math.fma(sum * scales[g * PANEL + r], factor, sums[r]);
                }
            }
        }

        /** {@code lanes[4 r + i] = Σ} over the group's quads of weight i of row r times x. */
        private void multiplyGroup(int first) {
            for (int i = 0; i < LINE; i += Lanes.COUNT) {
                IntVector sum = IntVector.zero(Lanes.INTS);
                for (int q = 0; q < QUADS_PER_GROUP; q++) {
                    IntVector four = IntVector.fromArray(Lanes.INTS, fours, q * Lanes.COUNT);
                    sum = sum.add(IntVector.fromArray(Lanes.INTS, weights, first + q * LINE + i)
                            .mul(four));
                }
                sum.intoArray(lanes, i);
            }
        }
    }
}
