// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.quant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How much of the weights rounding keeps, measured against the block formats that llama.cpp calls Q8_0 and Q4_0. */
class QuantizerTest {
    private static final int ROWS = 64;
    private static final int COLUMNS = 1024;

    private final SplittableRandom random = new SplittableRandom(3);
    private final HostArena arena = new HostArena();

    @AfterEach
    void close() {
        arena.close();
    }

    private Tensor matrix(DoubleSupplier values) {
        Tensor matrix = arena.allocate(DType.F32, ROWS, COLUMNS);
        for (long i = 0; i < matrix.shape().elements(); i++) {
            matrix.setFloat(i, (float) values.getAsDouble());
        }
        return matrix;
    }

    private double gaussian() {
        return 0.02 * random.nextGaussian();
    }

    /** Heavier tails than a Gaussian's, as trained weights have them. */
    private double laplace() {
        double u = random.nextDouble() - 0.5;
        return -0.02 * Math.signum(u) * Math.log(1 - 2 * Math.abs(u));
    }

    private double error(DType dtype, Tensor matrix) {
        return relativeError(matrix.toFloats(), FloatRows.of(new Quantizer(dtype).quantize(matrix, arena)));
    }

    private static double relativeError(float[] before, float[] after) {
        double difference = 0;
        double square = 0;
        for (int i = 0; i < before.length; i++) {
            difference += Math.pow((double) before[i] - after[i], 2);
            square += (double) before[i] * before[i];
        }
        return Math.sqrt(difference / square);
    }

    /** Q4_0: in each block of 32, a float16 scale that puts the element of largest magnitude at -8. */
    private static float[] ggmlQ4(float[] weights) {
        float[] rounded = new float[weights.length];
        for (int first = 0; first < weights.length; first += 32) {
            float extreme = 0;
            for (int i = first; i < first + 32; i++) {
                extreme = Math.abs(weights[i]) > Math.abs(extreme) ? weights[i] : extreme;
            }
            float scale = extreme / -8;
            float stored = Float.float16ToFloat(Float.floatToFloat16(scale));
            for (int i = first; i < first + 32; i++) {
                int q = scale == 0 ? 8 : Math.min(15, (int) (weights[i] / scale + 8.5f));
                rounded[i] = (q - 8) * stored;
            }
        }
        return rounded;
    }

    @Test
    void fourBitsKeepMoreThanQ40() {
        for (Tensor matrix : new Tensor[] {matrix(this::gaussian), matrix(this::laplace)}) {
            double theirs = relativeError(matrix.toFloats(), ggmlQ4(matrix.toFloats()));
            double ours = error(DType.Q4, matrix);
            assertTrue(ours < theirs, ours + " against " + theirs);
        }
    }

    @Test
    void eightBitsStayWithinAHalfStepOfTheGroupsLargest() {
        Tensor matrix = matrix(this::laplace);
        float[] before = matrix.toFloats();
        float[] after = FloatRows.of(new Quantizer(DType.Q8).quantize(matrix, arena));
        for (int first = 0; first < before.length; first += 32) {
            float largest = 0;
            for (int i = first; i < first + 32; i++) {
                largest = Math.max(largest, Math.abs(before[i]));
            }
            // Scales come in steps of a thirty-second at most.
            double step = largest / 127 * (1 + 1 / 32.0);
            for (int i = first; i < first + 32; i++) {
                assertEquals(before[i], after[i], step / 2 * 1.0001, "element " + i);
            }
        }
    }

    @Test
    void rowsOfVeryDifferentSizeAreRoundedAlike() {
        Tensor matrix = matrix(this::gaussian);
        double before = error(DType.Q4, matrix);
        for (int i = 0; i < COLUMNS; i++) {
            matrix.setFloat(5L * COLUMNS + i, matrix.getFloat(5L * COLUMNS + i) * 1e-6f);
        }
        float[] row = FloatRows.of(new Quantizer(DType.Q4).quantize(matrix.rows(5, 6), arena));
        assertEquals(before, relativeError(matrix.rows(5, 6).toFloats(), row), 0.01);
    }

    @Test
    void zerosStayZerosAndNaNIsSeen() {
        Tensor matrix = arena.allocate(DType.F32, 3, 70);
        matrix.setFloat(2 * 70 + 69, Float.NaN);
        float[] after = FloatRows.of(new Quantizer(DType.Q8).quantize(matrix, arena));
        assertArrayEquals(new float[140], Arrays.copyOf(after, 140));
        assertTrue(Float.isNaN(after[2 * 70]));
    }
}
