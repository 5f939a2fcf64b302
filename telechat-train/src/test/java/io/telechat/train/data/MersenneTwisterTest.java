// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What CPython's random module draws; some of it by heart, more in the golden data. */
class MersenneTwisterTest {
    private static final double[] RANDOM_OF_42 = {
        0.6394267984578837, 0.025010755222666936, 0.27502931836911926, 0.22321073814882275, 0.7364712141640124
    };
    private static final double[] RANDOM_OF_2_TO_40_AND_7 = {0.6137037779936511, 0.8149162973309487, 0.9450115087592873
    };
    private static final int[] SHUFFLED_5_OF_0 = {2, 1, 0, 4, 3};
    private static final int[] SHUFFLED_17_OF_0 = {2, 14, 3, 16, 10, 1, 9, 5, 11, 15, 6, 7, 8, 4, 0, 13, 12};

    private static double[] random(long seed, int count) {
        MersenneTwister random = new MersenneTwister(seed);
        return IntStream.range(0, count).mapToDouble(i -> random.nextDouble()).toArray();
    }

    private static int[] shuffled(long seed, int count) {
        int[] values = IntStream.range(0, count).toArray();
        new MersenneTwister(seed).shuffle(values);
        return values;
    }

    private static JsonNode golden(String stream) throws IOException {
        Path file = Goldens.shared("process_data/rng.json");
        Assumptions.assumeTrue(Files.exists(file), "needs the golden data beside the checkout");
        return new ObjectMapper().readTree(file.toFile()).get(stream);
    }

    @Test
    void drawsPythonsRandom() {
        assertArrayEquals(RANDOM_OF_42, random(42, RANDOM_OF_42.length));
    }

    @Test
    void shufflesAsPython() {
        assertArrayEquals(SHUFFLED_5_OF_0, shuffled(0, 5));
        assertArrayEquals(SHUFFLED_17_OF_0, shuffled(0, 17));
    }

    @Test
    void takesNegativeSeedsByTheirMagnitude() {
        assertArrayEquals(random(42, 5), random(-42, 5));
    }

    /** {@code random.seed(2**40 + 7); [random.random() for _ in range(3)]} */
    @Test
    void takesSeedsOfTwoWords() {
        assertArrayEquals(RANDOM_OF_2_TO_40_AND_7, random((1L << 40) + 7, RANDOM_OF_2_TO_40_AND_7.length));
    }

    @Test
    void drawsTheGoldenRandom() throws IOException {
        for (Map.Entry<String, JsonNode> stream : golden("python_random_random").properties()) {
            double[] drawn =
                    random(Long.parseLong(stream.getKey()), stream.getValue().size());
            for (int i = 0; i < drawn.length; i++) {
                assertEquals(stream.getValue().get(i).doubleValue(), drawn[i], stream.getKey());
            }
        }
    }

    @Test
    void shufflesAsTheGoldens() throws IOException {
        for (Map.Entry<String, JsonNode> stream : golden("python_shuffle_range").properties()) {
            String[] seedAndSize = stream.getKey().split(":");
            int[] expected = new int[stream.getValue().size()];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = stream.getValue().get(i).intValue();
            }
            assertArrayEquals(
                    expected,
                    shuffled(Long.parseLong(seedAndSize[0]), Integer.parseInt(seedAndSize[1])),
                    stream.getKey());
        }
    }
}
