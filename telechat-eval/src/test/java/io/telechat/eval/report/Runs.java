// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.html.Html;
import io.telechat.eval.EvalResults;
import io.telechat.eval.score.Scorer;
import io.telechat.eval.score.TaskScores;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Score;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** Directories as a run leaves them, of samples that tests make up. */
final class Runs {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Runs() {}

    /** A document of multiple choice between A, B and C. */
    static ObjectNode choice(String task, String subtask, int id, String context, int gold, int chosen) {
        ObjectNode sample = begun(task, subtask, id, context);
        sample.putArray("continuations").add(" A").add(" B").add(" C");
        var likelihoods = sample.putArray("loglikelihoods");
        for (int i = 0; i < 3; i++) {
            likelihoods.add(i == chosen ? -1.25 : -2.5 - i);
        }
        sample.put("choice", chosen).put("choice_norm", chosen).put("gold", gold);
        sample.putObject("metrics").put("acc,none", gold == chosen ? 1.0 : 0.0);
        return sample;
    }

    /** A document with a free answer. */
    static ObjectNode free(String task, String subtask, int id, String context, String gold, String response) {
        ObjectNode sample = begun(task, subtask, id, context);
        sample.put("response", response).put("gold", gold);
        sample.putObject("extracted").put("strict", response);
        sample.putObject("metrics").put("exact_match,strict", gold.equals(response) ? 1.0 : 0.0);
        return sample;
    }

    private static ObjectNode begun(String task, String subtask, int id, String context) {
        ObjectNode sample = MAPPER.createObjectNode();
        return sample.put("task", task)
                .put("subtask", subtask)
                .put("doc_id", id)
                .put("context", context);
    }

    /** The scores of one task's samples. */
    static TaskScores scores(String task, List<ObjectNode> samples) {
        Scorer scorer = new Scorer(task);
        for (JsonNode sample : samples) {
            List<Score> scores = new ArrayList<>();
            sample.get("metrics").properties().forEach(m -> {
                String[] key = m.getKey().split(",");
                OptionalDouble value = m.getValue().isNull()
                        ? OptionalDouble.empty()
                        : OptionalDouble.of(m.getValue().doubleValue());
                scores.add(new Score(key[0], key[1], value));
            });
            scorer.add(Optional.ofNullable(sample.path("subtask").textValue()), scores);
        }
        return scorer.scores(List.of(new Group(task, subtask -> true)));
    }

    static EvalResults results(String model, TaskScores... tasks) {
        ObjectNode settings = MAPPER.createObjectNode();
        settings.put("style", "lm-eval").putNull("limit").put("num_fewshot", 5);
        return new EvalResults(model, settings, List.of(tasks), List.of());
    }

    /** A run of one task. */
    static Path write(Path directory, String model, String task, List<ObjectNode> samples) throws IOException {
        Files.createDirectories(directory);
        StringBuilder lines = new StringBuilder();
        samples.forEach(
                sample -> lines.append(Html.escapeJson(sample.toString())).append('\n'));
        Files.writeString(directory.resolve("samples_" + task + ".jsonl"), lines);
        String json = results(model, scores(task, samples)).json().toPrettyString();
        Files.writeString(directory.resolve("results.json"), Html.escapeJson(json));
        return directory;
    }
}
