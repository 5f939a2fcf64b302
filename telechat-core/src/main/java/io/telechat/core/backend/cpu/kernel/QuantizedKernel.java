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
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with quantized weights. A block of a panel is widened to floats once and multiplied with each token; the integers
 * of a group are exact in float, so the result has the same bits as that of the kernels in C.
 */
final class QuantizedKernel {
    /** As many bytes as there are float lanes, or a few more where there is no vector so short. */
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * Lanes.COUNT)));

    private static final VectorSpecies<Integer> QUADS = BYTES.withLanes(int.class);
    private static final int LINE = PANEL * QUAD;
    private static final int QUADS_PER_GROUP = GROUP / QUAD;

    private QuantizedKernel() {}

    static void run(DType type, Product p) {
        long blocks = QuantizedLayout.blocks(p.columns());
        long panelBytes = QuantizedLayout.panelBytes(type, p.columns());
        int blockBytes = QuantizedLayout.blockBytes(type);
        int tokens = Math.toIntExact(p.tokens());
        float[] block = new float[PANEL * BLOCK];
        float[] scales = new float[GROUPS * PANEL];
        float[] lanes = new float[LINE];
        float[][] sums = new float[tokens][PANEL];
        for (long first = 0, at = 0; first < p.rows(); first += PANEL, at += panelBytes) {
            for (float[] sum : sums) {
                Arrays.fill(sum, 0);
            }
            for (long b = 0; b < blocks; b++) {
                widen(type, p.weights(), at + HEADER + b * blockBytes, block, scales);
                for (int t = 0; t < tokens; t++) {
                    addBlock(p, t, b, block, scales, lanes, sums[t]);
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

    /** The block that begins at an offset: its weights less the bias, quad by quad, and its scales. */
    private static void widen(DType type, MemorySegment from, long offset, float[] block, float[] scales) {
        for (int i = 0; i < scales.length; i++) {
            scales[i] = ScaleByte.value(from.get(ValueLayout.JAVA_BYTE, offset + i));
        }
        long weights = offset + scales.length;
        int bias = QuantizedLayout.bias(type);
        if (type == DType.Q8_0) {
            for (int i = 0; i < block.length; i += Lanes.COUNT) {
                ints(from, weights + i)
                        .sub(bias)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(block, i);
            }
            return;
        }
        for (int line = 0; line < block.length; line += 2 * LINE) {
            for (int i = 0; i < LINE; i += Lanes.COUNT) {
                IntVector both = ints(from, weights + line / 2 + i);
                both.and(15)
                        .sub(bias)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(block, line + i);
                both.lanewise(VectorOperators.LSHR, 4)
                        .sub(bias)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(block, line + LINE + i);
            }
        }
    }

    private static IntVector ints(MemorySegment from, long offset) {
        ByteVector bytes = ByteVector.fromMemorySegment(BYTES, from, offset, Lanes.ORDER);
        return (IntVector) bytes.convertShape(VectorOperators.ZERO_EXTEND_B2I, Lanes.INTS, 0);
    }

    private static void addBlock(
            Product p, int token, long blockIndex, float[] block, float[] scales, float[] lanes, float[] sums) {
        long base = token * QuantizedActivations.tokenBytes(p.columns());
        long scalesAt = base + QuantizedActivations.scalesOffset(p.columns());
        for (int g = 0; g < GROUPS; g++) {
            long group = blockIndex * GROUPS + g;
            addGroup(p.x(), base + group * GROUP, block, g * GROUP * PANEL, lanes);
            float factor = p.x().get(ValueLayout.JAVA_FLOAT_UNALIGNED, scalesAt + 4 * group);
            for (int r = 0; r < PANEL; r++) {
                float sum = lanes[4 * r] + lanes[4 * r + 1] + (lanes[4 * r + 2] + lanes[4 * r + 3]);
                sums[r] = Math.fma(sum * scales[g * PANEL + r], factor, sums[r]);
            }
        }
    }

    /** {@code lanes[4 r + i] = Σ} over the group's quads of weight i of row r times x. */
    private static void addGroup(MemorySegment x, long offset, float[] block, int first, float[] lanes) {
        for (int i = 0; i < LINE; i += Lanes.COUNT) {
            FloatVector sum = FloatVector.zero(Lanes.FLOATS);
            for (int q = 0; q < QUADS_PER_GROUP; q++) {
                int quad = x.get(ValueLayout.JAVA_INT_UNALIGNED, offset + 4L * q);
                FloatVector four = (FloatVector) IntVector.broadcast(QUADS, quad)
                        .reinterpretAsBytes()
                        .convertShape(VectorOperators.B2F, Lanes.FLOATS, 0);
                sum = FloatVector.fromArray(Lanes.FLOATS, block, first + q * LINE + i)
                        .fma(four, sum);
            }
            sum.intoArray(lanes, i);
        }
    }
}
