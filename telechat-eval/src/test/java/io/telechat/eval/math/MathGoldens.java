// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** What the harnesses said of answers, beside the checkout. */
final class MathGoldens {
    private static final ObjectMapper JSON = new ObjectMapper();

    private MathGoldens() {}

    /** The rows of a file under {@code eval}; the test skips where it is not there. */
    static List<JsonNode> rows(String name) throws IOException {
        Path file = Goldens.shared("eval").resolve(name);
        assumeTrue(Files.exists(file), file + " is not there");
        List<JsonNode> rows = new ArrayList<>();
        for (String line : Files.readString(file).split("\n")) {
            if (!line.isBlank()) {
                rows.add(JSON.readTree(line));
            }
        }
        return rows;
    }

    /** Notes a case that came out otherwise. */
    static void check(List<String> wrong, String what, Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) {
            wrong.add(what + ": " + actual + " instead of " + expected);
        }
    }
}
