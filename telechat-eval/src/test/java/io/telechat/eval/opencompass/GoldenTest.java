// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.testing.Goldens;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Score;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against what OpenCompass's own code makes of the same files and answers. */
class GoldenTest {
    static List<Task> tasks() {
        return OpenCompassTasks.all();
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void promptsAreTheReferences(Task task) {
        Map<String, JsonNode> ours = new HashMap<>();
        for (Subtask subtask : task.load(TaskSource.of(golden("data"), task.usualShots()))) {
            for (Item item : subtask.items()) {
                JsonNode prompt = OpenCompassPrompts.json(task.name(), subtask.name(), item);
                ours.put(key(prompt), prompt);
            }
        }
        for (JsonNode expected : JsonLines.read(golden("opencompass/prompts_" + task.name() + ".jsonl"))) {
            JsonNode prompt = ours.get(key(expected));
            assertEquals(expected.get("messages"), prompt.get("messages"), key(expected));
            assertEquals(expected.get("max_out_len"), prompt.get("max_out_len"), key(expected));
        }
    }

    private static String key(JsonNode prompt) {
        return prompt.get("subtask") + " "
                + prompt.path("problem_file").asText(prompt.get("doc_id").toString());
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void answersAreReadAndScoredAsByTheReference(Task task) {
        for (JsonNode line : JsonLines.read(golden("extract/opencompass." + task.name() + ".jsonl"))) {
            Optional<String> gold = Optional.ofNullable(line.path("gold").textValue());
            AnswerRule rule = task.rule(new Question(
                    Optional.ofNullable(line.path("subtask").textValue()),
                    line.path("input").asText(""),
                    gold));
            Map<String, String> extracted = rule.extract(line.get("response").textValue());
            assertEquals(line.at("/extracted/none").textValue(), extracted.get(Score.NONE), line.toString());
            if (line.has("correct")) {
                double right = line.at("/correct/none").booleanValue() ? 1 : 0;
                assertEquals(right, rule.score(extracted).getFirst().value().orElseThrow(), line.toString());
            }
        }
    }

    private static Path golden(String name) {
        Path file = Goldens.shared("eval/" + name);
        assumeTrue(Files.exists(file), () -> file + " is not there");
        return file;
    }
}
