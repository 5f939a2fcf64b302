// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.Goldens;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** Programs whose verdict by HumanEval's own code is known. */
class HumanEvalProgramsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void whatTheReferenceAccepts() throws IOException {
        Path file = Goldens.shared("eval/humaneval_exec.jsonl");
        assumeTrue(Files.exists(file), "there is no " + file);
        List<JsonNode> cases = lines(Files.readString(file)).stream()
                .filter(row -> row.has("prompt"))
                .toList();
        List<Verdict> verdicts = Sandboxes.sandboxed(Limits.DEFAULT)
                .runAll(cases.stream()
                        .map(row -> program(row, row.get("completion").asText()))
                        .toList());
        assertAll(IntStream.range(0, cases.size())
                .mapToObj(i -> () -> assertEquals(
                        cases.get(i).get("passed").asBoolean(),
                        verdicts.get(i).passed(),
                        cases.get(i).get("name") + ": " + verdicts.get(i))));
    }

    @Test
    void solutionsOfTheAuthorsPass() throws IOException {
        Path file = Goldens.shared("eval/data/humaneval/HumanEval.jsonl.gz");
        assumeTrue(Files.exists(file), "there is no " + file);
        List<String> programs = new ArrayList<>();
        try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(file))) {
            for (JsonNode row : lines(new String(in.readAllBytes(), StandardCharsets.UTF_8))) {
                programs.add(program(row, row.get("canonical_solution").asText()));
            }
        }
        for (Verdict verdict : Sandboxes.sandboxed(Limits.DEFAULT).runAll(programs)) {
            assertEquals("passed", verdict.reason());
        }
    }

    private static List<JsonNode> lines(String text) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (String line : text.strip().split("\n")) {
            rows.add(JSON.readTree(line));
        }
        return rows;
    }

    private static String program(JsonNode row, String completion) {
        return row.get("prompt").asText() + completion + "\n" + row.get("test").asText() + "\ncheck("
                + row.get("entry_point").asText() + ")";
    }
}
