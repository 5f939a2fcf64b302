// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.Goldens;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class PythonRandomTest {
    /** What {@code random.Random(1234)} of CPython 3 draws. */
    @Test
    void samplesAreThoseOfPython() {
        PythonRandom random = new PythonRandom(1234);

        assertEquals(List.of(6374, 3610, 957, 61), random.sample(7473, 4));
        assertEquals(List.of(742, 7462, 6610, 4769), random.sample(7473, 4));
    }

    @Test
    void smallPopulationsAreDrawnFromAPool() {
        PythonRandom random = new PythonRandom(1234);

        assertEquals(List.of(28, 7, 0, 5), random.sample(40, 4));
        assertEquals(List.of(37, 2, 5, 6), random.sample(40, 4));
    }

    @Test
    void theReferencesStreamsComeAgain() throws Exception {
        Path file = Goldens.shared("eval/tables/python_random_sample.json");
        assumeTrue(Files.exists(file), file + " is not on this machine");
        JsonNode table = new ObjectMapper().readTree(file.toFile());
        for (JsonNode stream : table) {
            PythonRandom random = new PythonRandom(stream.get("seed").asLong());
            for (JsonNode expected : stream.get("successive_samples")) {
                assertEquals(
                        StreamSupport.stream(expected.spliterator(), false)
                                .map(JsonNode::asInt)
                                .toList(),
                        random.sample(stream.get("n").asInt(), stream.get("k").asInt()),
                        stream.get("n") + " " + stream.get("k"));
            }
        }
    }
}
