// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.core.ops.DynamicCode;
import io.telechat.core.ops.DynamicCodeTest;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Means in 8 bits beside the same means in float32. */
class BlockwiseMomentsTest {
    /** Of a number against the scale of its block, which is what the paper's code allows at most. */
    private static final double SIGNED_ERROR = 0.45 / 64;

    private static final double UNSIGNED_ERROR = 0.45 / 128;

    private static float[] random(long count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[(int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * Math.exp(2 * random.nextGaussian()));
        }
        return values;
    }

    /** Three rows of which the middle one is trained, as it is with tensors that are part of others. */
    private static Tensor middle(float[] values, Backend backend, TensorArena arena, HostArena host) {
        Tensor row = arena.allocate(DType.F32, 3, values.length).rows(1, 2);
        backend.memory().write(host.allocate(DType.F32, 1, values.length).setFloats(values), row);
        return row;
    }

    /** What a tensor and its means became in some steps of AdamW. */
    private record Outcome(float[] values, Map<String, byte[]> state, float[] mean, float[] square) {
        static Outcome of(String backendName, int threads, MomentType type, int elements, int steps) {
            try (Backend backend = Backends.byName(backendName, threads);
                    TensorArena arena = backend.memory().newArena();
                    HostArena host = new HostArena()) {
                Tensor value = middle(random(elements, 1), backend, arena, host);
                Tensor gradient = middle(new float[elements], backend, arena, host);
                AdamW.Settings settings = AdamW.Settings.reference(0.1).withState(type);
                Trained trained = new Trained("w", value, gradient);
                try (AdamW optimizer = new AdamW(backend, settings, List.of(trained))) {
                    for (int step = 1; step <= steps; step++) {
                        float[] values = random(elements, 10 + step);
                        backend.memory()
                                .write(host.allocate(DType.F32, 1, elements).setFloats(values), gradient);
                        optimizer.step(step, 0.01, 0.5);
                    }
                    return of(backend, value, optimizer.states().getFirst().moments());
                }
            }
        }

        private static Outcome of(Backend backend, Tensor value, Moments moments) {
            Map<String, Tensor> tensors = moments.tensors();
            float[] values = backend.memory().toHost(value).toFloats();
            if (moments instanceof FloatMoments) {
                return new Outcome(
                        values,
                        Map.of(),
                        backend.memory().toHost(tensors.get("mean")).toFloats(),
                        backend.memory().toHost(tensors.get("square")).toFloats());
            }
            Map<String, byte[]> state = Map.of(
                    "mean", bytes(backend, tensors.get("mean")),
                    "mean_scale", bytes(backend, tensors.get("mean_scale")),
                    "square", bytes(backend, tensors.get("square")),
                    "square_scale", bytes(backend, tensors.get("square_scale")));
            return new Outcome(
                    values,
                    state,
                    decoded(backend, DynamicCode.SIGNED, tensors.get("mean"), tensors.get("mean_scale")),
                    decoded(backend, DynamicCode.UNSIGNED, tensors.get("square"), tensors.get("square_scale")));
        }

        private static byte[] bytes(Backend backend, Tensor tensor) {
            return backend.memory().toHost(tensor).segment().toArray(ValueLayout.JAVA_BYTE);
        }

        private static float[] decoded(Backend backend, DynamicCode code, Tensor codes, Tensor scales) {
            byte[] all = bytes(backend, codes);
            float[] scale = backend.memory().toHost(scales).toFloats();
            float[] values = new float[all.length];
            for (int i = 0; i < all.length; i++) {
                float[] value = new float[1];
                code.decode(new byte[] {all[i]}, scale[i / BlockwiseTensor.BLOCK], value, 1);
                values[i] = value[0];
            }
            return values;
        }
    }

    /** One element more than two stretches of one thread, than a block, and the smallest tensor of all. */
    @ParameterizedTest
    @CsvSource({"cpu, 131073", "nd4j, 131073", "cpu, 4097", "nd4j, 4097", "cpu, 4096", "nd4j, 4096"})
    void oneStepIsThatOfFloatsAndRoundsTheMeansAfterwards(String backend, int elements) {
        Outcome exact = Outcome.of(backend, 1, MomentType.F32, elements, 1);
        Outcome rounded = Outcome.of(backend, 1, MomentType.EIGHT_BIT, elements, 1);
        assertArrayEquals(exact.values(), rounded.values());
        assertClose(exact.mean(), rounded.mean(), SIGNED_ERROR);
        assertClose(exact.square(), rounded.square(), UNSIGNED_ERROR);
    }

    /** Each element, by its block's largest magnitude. */
    private static void assertClose(float[] exact, float[] rounded, double error) {
        assertEquals(exact.length, rounded.length);
        for (int block = 0; block < exact.length; block += 256) {
            double largest = 0;
            int end = Math.min(exact.length, block + 256);
            for (int i = block; i < end; i++) {
                largest = Math.max(largest, Math.abs(exact[i]));
            }
            for (int i = block; i < end; i++) {
                assertEquals(exact[i], rounded[i], largest * (error + 2e-7), "element " + i);
            }
        }
    }

    /** The same in doubles, looking at all values for the nearest. */
    private static final class Twin {
        private final double[] values;
        private final double[] mean;
        private final double[] square;

        private Twin(int elements) {
            float[] begin = random(elements, 1);
            values = IntStream.range(0, elements).mapToDouble(i -> begin[i]).toArray();
            mean = new double[elements];
            square = new double[elements];
        }

        private void step(int number) {
            float[] gradient = random(values.length, 10 + number);
            for (int i = 0; i < values.length; i++) {
                double g = 0.5 * gradient[i];
                mean[i] = 0.9 * mean[i] + 0.1 * g;
                square[i] = 0.95 * square[i] + 0.05 * g * g;
                double corrected = mean[i] / (1 - Math.pow(0.9, number));
                double deviation = Math.sqrt(square[i] / (1 - Math.pow(0.95, number)));
                values[i] -= 0.01 * (corrected / (deviation + 1e-5) + 0.1 * values[i]);
            }
            round(mean, DynamicCodeTest.published(true));
            round(square, DynamicCodeTest.published(false));
        }

        private static void round(double[] numbers, double[] table) {
            for (int block = 0; block < numbers.length; block += 256) {
                int end = Math.min(numbers.length, block + 256);
                double scale =
                        Arrays.stream(numbers, block, end).map(Math::abs).max().orElseThrow();
                for (int i = block; i < end; i++) {
                    double nearest = table[0];
                    for (double value : table) {
                        double x = numbers[i] / scale;
                        nearest = Math.abs(value - x) < Math.abs(nearest - x) ? value : nearest;
                    }
                    numbers[i] = nearest * scale;
                }
            }
        }
    }

    /** Floats and doubles may round a number between two codes differently: so of a thousand elements, one may be off. */
    @ParameterizedTest
    @CsvSource({"cpu", "nd4j"})
    void stepsAreThoseOfTheDefinition(String backend) {
        int elements = 70_001;
        Twin twin = new Twin(elements);
        for (int step = 1; step <= 4; step++) {
            twin.step(step);
        }
        Outcome found = Outcome.of(backend, 1, MomentType.EIGHT_BIT, elements, 4);
        int off = 0;
        for (int i = 0; i < elements; i++) {
            double error = Math.abs(twin.values[i] - found.values()[i]);
            off += error > 1e-5 + 1e-6 * Math.abs(twin.values[i]) ? 1 : 0;
        }
        assertTrue(off <= elements / 1000, off + " elements are off");
    }

    @ParameterizedTest
    @CsvSource({"cpu, 2", "cpu, 3", "nd4j, 2"})
    void theNumberOfThreadsDoesNotShow(String backend, int threads) {
        Outcome one = Outcome.of(backend, 1, MomentType.EIGHT_BIT, 300_001, 2);
        Outcome more = Outcome.of(backend, threads, MomentType.EIGHT_BIT, 300_001, 2);
        assertArrayEquals(one.values(), more.values());
        one.state()
                .forEach((name, bytes) -> assertArrayEquals(bytes, more.state().get(name), name));
    }

    @Test
    void smallTensorsKeepFloats() {
        assertEquals(
                Map.of(), Outcome.of("cpu", 1, MomentType.EIGHT_BIT, 4095, 1).state());
        assertEquals(
                4, Outcome.of("cpu", 1, MomentType.EIGHT_BIT, 4096, 1).state().size());
    }
}
