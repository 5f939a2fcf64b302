// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.Quantizer;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TestWeights;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the contract of the formulas does not ask for: bits that do not depend on neighbours, threads or tier. */
@Tag("slow")
class LinearProductTest {
    private static final int OUT = 150;

    private final SplittableRandom random = new SplittableRandom(11);
    private final HostArena arena = new HostArena();

    @AfterEach
    void close() {
        arena.close();
    }

    static Stream<KernelTier> tiers() {
        return UsableTiers.all();
    }

    private Tensor random(int rows, int columns) {
        Tensor tensor = arena.allocate(DType.F32, rows, columns);
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.setFloat(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    private Weight weight(DType dtype, int in) {
        Tensor matrix = random(OUT, in);
        Tensor bias = random(1, OUT).reshape(OUT);
        if (dtype.isQuantized()) {
            return TestWeights.biased(bias, new Quantizer(dtype).quantize(matrix, arena));
        }
        Tensor narrow = arena.allocate(dtype, OUT, in);
        for (long i = 0; i < matrix.shape().elements(); i++) {
            narrow.setFloat(i, matrix.getFloat(i));
        }
        return TestWeights.biased(bias, narrow);
    }

    private float[] product(KernelTier tier, int threads, Tensor x, Weight weight) {
        return product(tier, threads, Backend::ops, x, weight);
    }

    private float[] product(KernelTier tier, int threads, Function<Backend, Ops> ops, Tensor x, Weight weight) {
        try (CpuBackend backend = new CpuBackend(threads, tier)) {
            Tensor y = arena.allocate(DType.F32, x.rows(), OUT);
            ops.apply(backend).linear(x, weight, y);
            return y.toFloats();
        }
    }

    @ParameterizedTest
    @MethodSource("tiers")
    void aTokenDoesNotDependOnItsNeighboursOrOnThreads(KernelTier tier) {
        requireInvariance(tier, Backend::ops);
        requireInvariance(tier, Backend::roundingOps);
    }

    private void requireInvariance(KernelTier tier, Function<Backend, Ops> ops) {
        for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16, DType.Q8, DType.Q4}) {
            for (int in : new int[] {40, 1024, 2500}) {
                Weight weight = weight(dtype, in);
                Tensor x = random(45, in);
                float[] all = product(tier, 3, ops, x, weight);
                for (int count : new int[] {1, 2, 3, 5, 7, 12, 13, 16, 30}) {
                    float[] some = product(tier, 1, ops, x.rows(10, 10 + count), weight);
                    float[] same = Arrays.copyOfRange(all, 10 * OUT, (10 + count) * OUT);
                    assertArrayEquals(same, some, dtype + " " + in + ", " + count + " tokens");
                }
            }
        }
    }

    /** As many rows and columns as are computed in several blocks, with what is left over of each. */
    @ParameterizedTest
    @EnumSource(names = {"AVX512_BF16", "AMX"})
    void aTokenDoesNotDependOnFiveHundredNeighbours(KernelTier tier) {
        assumeTrue(KernelTiers.isUsable(tier), "not an instruction set of this CPU");
        int out = 1023;
        int in = 2100;
        Tensor x = random(600, in);
        Tensor matrix = arena.allocate(DType.BF16, out, in);
        for (long i = 0; i < matrix.shape().elements(); i++) {
            matrix.setFloat(i, (float) random.nextGaussian());
        }
        try (CpuBackend backend = new CpuBackend(1, tier)) {
            Tensor all = arena.allocate(DType.F32, 600, out);
            backend.roundingOps().linear(x, Weight.of(matrix), all);
            for (int token : new int[] {0, 15, 200, 511, 512, 580, 599}) {
                Tensor one = arena.allocate(DType.F32, 1, out);
                backend.roundingOps().linear(x.rows(token, token + 1), Weight.of(matrix), one);
                assertArrayEquals(one.toFloats(), all.rows(token, token + 1).toFloats(), "token " + token);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"AVX512_BF16", "AMX"})
    void activationsAreRoundedToBf16WhereBf16WeightsMeetThem(KernelTier tier) {
        assumeTrue(KernelTiers.isUsable(tier), "not an instruction set of this CPU");
        for (int in : new int[] {1, 31, 64, 1000, 4111}) {
            Weight weight = weight(DType.BF16, in);
            Tensor x = random(17, in);
            Tensor rounded = arena.allocate(DType.BF16, 17, in);
            for (long i = 0; i < x.shape().elements(); i++) {
                rounded.setFloat(i, x.getFloat(i));
            }
            float[] y = product(tier, 2, Backend::roundingOps, x, weight);
            for (int t = 0; t < 17; t++) {
                for (int r = 0; r < OUT; r++) {
                    double sum = weight.blocks().getFirst().bias().get().getFloat(r);
                    double size = 1;
                    for (int i = 0; i < in; i++) {
                        double product = (double) rounded.getFloat((long) t * in + i)
                                * weight.blocks().getFirst().matrix().getFloat((long) r * in + i);
                        sum += product;
                        size += Math.abs(product);
                    }
                    assertEquals(sum, y[t * OUT + r], 1e-6 * size, in + ": token " + t + ", row " + r);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "Q4"})
    void quantizedProductsHaveTheBitsOfTheirDefinitionOnEveryTier(DType dtype) {
        for (int in : new int[] {5, 128, 1000}) {
            Weight weight = weight(dtype, in);
            Tensor x = random(14, in);
            float[] expected = definition(x, weight);
            tiers().forEach(tier -> assertArrayEquals(expected, product(tier, 2, x, weight), tier + " " + in));
        }
    }

    /** Activations rounded to 16 or 8 bits in groups of 32; sums of a group exact; groups added one after the other. */
    private static float[] definition(Tensor x, Weight weight) {
        Tensor w = weight.blocks().getFirst().matrix();
        int in = (int) x.columns();
        int most = w.dtype() == DType.Q8 ? 2039 : 127;
        float[] y = new float[(int) x.rows() * OUT];
        for (int t = 0; t < x.rows(); t++) {
            for (int r = 0; r < OUT; r++) {
                QuantizedRow row = new QuantizedRow(w, r);
                float sum = 0;
                for (int first = 0; first < in; first += QuantizedLayout.GROUP) {
                    int count = Math.min(QuantizedLayout.GROUP, in - first);
                    float largest = 0;
                    for (int i = first; i < first + count; i++) {
                        largest = Math.max(largest, Math.abs(x.getFloat((long) t * in + i)));
                    }
                    float inverse = most / largest;
                    int products = 0;
                    for (int i = first; i < first + count; i++) {
                        products += (int) Math.rint(x.getFloat((long) t * in + i) * inverse) * row.weight(i);
                    }
                    sum = Math.fma(products * row.scale(first), largest * (1f / most), sum);
                }
                y[t * OUT + r] = sum * row.unit()
                        + weight.blocks().getFirst().bias().get().getFloat(r);
            }
        }
        return y;
    }

    /** One row of a quantized matrix, read from its bytes as the layout's documentation puts them. */
    private record QuantizedRow(Tensor matrix, int row) {
        private int at(long offset) {
            long panel = row / 16 * QuantizedLayout.panelBytes(matrix.dtype(), matrix.columns());
            return matrix.segment().get(ValueLayout.JAVA_BYTE, panel + offset) & 0xff;
        }

        float unit() {
            int bits = 0;
            for (int i = 3; i >= 0; i--) {
                bits = bits << 8 | at(row % 16 * 4L + i);
            }
            return Float.intBitsToFloat(bits);
        }

        private long block(int column) {
            int bits = matrix.dtype() == DType.Q8 ? 8 : 4;
            return 64 + column / 128 * (64L + 16 * 128 * bits / 8);
        }

        float scale(int column) {
            int code = at(block(column) + column % 128 / 32 * 16L + row % 16);
            if (matrix.dtype() == DType.Q8) {
                return (float) (code < 32 ? code * 0x1p-19 : (1 + code % 32 / 32.0) * Math.pow(2, code / 32 - 15));
            }
            double magnitude = (code & 0x78) == 0
                    ? (code & 7) * 0x1p-17
                    : (1 + (code & 7) / 8.0) * Math.pow(2, (code >> 3 & 15) - 15);
            return (float) (code < 128 ? magnitude : -magnitude);
        }

        int weight(int column) {
            int quad = column % 128 / 4;
            long inQuad = row % 16 * 4L + column % 4;
            if (matrix.dtype() == DType.Q8) {
                return at(block(column) + 64 + quad * 64L + inQuad) - 128;
            }
            int both = at(block(column) + 64 + quad / 2 * 64L + inQuad);
            return (quad % 2 == 0 ? both & 15 : both >> 4) - 8;
        }
    }

    @ParameterizedTest
    @MethodSource("tiers")
    void notANumberInActivationsIsNotRoundedAway(KernelTier tier) {
        Weight weight = weight(DType.Q8, 70);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            Tensor x = random(2, 70);
            x.setFloat(70 + 69, bad);
            float[] y = product(tier, 1, x, weight);
            assertTrue(Float.isFinite(y[3]), "the other token");
            assertTrue(Float.isNaN(y[OUT + 3]), "the token with " + bad);
        }
    }

    @Test
    void rowsOfZerosStayZeros() {
        Tensor zeros = new Quantizer(DType.Q4).quantize(arena.allocate(DType.F32, OUT, 70), arena);
        assertArrayEquals(new float[OUT], product(KernelTiers.best(), 1, random(1, 70), Weight.of(zeros)));
    }
}
