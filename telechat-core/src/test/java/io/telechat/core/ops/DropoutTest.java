// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.testing.ScalarBackend;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link GradOps#dropout} of every backend, against the definition and against what chance allows. */
class DropoutTest {
    private static final long SEED = 12;

    private static float[] gaussian(int count) {
        float[] values = new float[count];
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] ones(int count) {
        float[] values = new float[count];
        Arrays.fill(values, 1);
        return values;
    }

    /** What {@code y} holds afterwards; it holds 1, 2, 3 … before. */
    private static float[] dropout(Backend backend, float[] x, double rate, long seed, boolean add) {
        try (HostArena host = new HostArena();
                TensorArena arena = backend.memory().newArena()) {
            Tensor from = backend.memory()
                    .copy(host.allocate(DType.F32, 3, x.length / 3).setFloats(x), arena);
            Tensor before = host.allocate(DType.F32, 3, x.length / 3);
            for (int i = 0; i < x.length; i++) {
                before.setFloat(i, i + 1);
            }
            Tensor to = backend.memory().copy(before, arena);
            backend.gradOps().dropout(from, rate, seed, to, add);
            return backend.memory().toHost(to).toFloats();
        }
    }

    @ParameterizedTest
    @CsvSource({"cpu, 1, 21", "cpu, 3, 60000", "nd4j, 1, 21", "nd4j, 2, 60000"})
    void matchesTheDefinition(String name, int threads, int count) {
        float[] x = gaussian(count);
        try (Backend subject = Backends.byName(name, threads);
                Backend oracle = new ScalarBackend()) {
            for (boolean add : new boolean[] {false, true}) {
                float[] expected = dropout(oracle, x, 0.3, SEED, add);
                float[] actual = dropout(subject, x, 0.3, SEED, add);
                for (int i = 0; i < count; i++) {
                    assertEquals(expected[i], actual[i], 1e-6 * (1 + Math.abs(expected[i])), "element " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "nd4j"})
    void aRateOfZeroKeepsEveryBit(String name) {
        float[] x = gaussian(300);
        try (Backend backend = Backends.byName(name, 2)) {
            assertArrayEquals(x, dropout(backend, x, 0, SEED, false));
        }
    }

    /** Within five standard deviations of a binomial distribution. */
    @ParameterizedTest
    @ValueSource(doubles = {0.05, 0.5, 0.9})
    void dropsTheShareThatItIsAskedFor(double rate) {
        int count = 300_000;
        try (Backend backend = Backends.byName("cpu", 2)) {
            float[] one = dropout(backend, ones(count), rate, SEED, false);
            float[] other = dropout(backend, ones(count), rate, SEED + 1, false);
            int dropped = 0;
            int both = 0;
            for (int i = 0; i < count; i++) {
                assertEquals(one[i] == 0 ? 0 : 1 / (1 - rate), one[i], 1e-6);
                dropped += one[i] == 0 ? 1 : 0;
                both += one[i] == 0 && other[i] == 0 ? 1 : 0;
            }
            assertEquals(count * rate, dropped, 5 * Math.sqrt(count * rate * (1 - rate)));
            double square = rate * rate;
            assertEquals(
                    count * square, both, 5 * Math.sqrt(count * square * (1 - square)), "seeds are not independent");
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1, Double.NaN})
    void aRateThatIsNoShareIsRefused(double rate) {
        try (Backend backend = Backends.byName("cpu", 1)) {
            assertThrows(IllegalArgumentException.class, () -> dropout(backend, ones(3), rate, SEED, false));
        }
    }
}
