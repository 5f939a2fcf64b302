// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.eval.score.Mean;
import io.telechat.eval.score.TaskScores;
import java.nio.file.Path;
import java.util.List;

/**
 * What a run has come to.
 *
 * @param model its name
 * @param settings as {@code results.json} shows them
 * @param missing files of subtasks that were not there
 */
public record EvalResults(String model, ObjectNode settings, List<TaskScores> tasks, List<Path> missing) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public EvalResults {
        tasks = List.copyOf(tasks);
        missing = List.copyOf(missing);
    }

    /** With the keys of lm-evaluation-harness: {@code metric,filter} and {@code metric_stderr,filter}. */
    public ObjectNode json() {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("model", model);
        json.set("settings", settings);
        ObjectNode results = json.putObject("results");
        ObjectNode groups = json.putObject("groups");
        for (TaskScores task : tasks) {
            task.subtasks().forEach(part -> results.set(part.name(), json(part)));
            task.groups().forEach(part -> groups.set(part.name(), json(part)));
        }
        return json;
    }

    private static ObjectNode json(TaskScores.Part part) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("sample_len", part.size());
        part.metrics().forEach((key, mean) -> {
            String filter = key.substring(key.lastIndexOf(','));
            String metric = key.substring(0, key.lastIndexOf(','));
            json.put(key, mean.value());
            putError(json, metric + "_stderr" + filter, mean);
            if (mean.count() != part.size()) {
                json.put("sample_len," + key, mean.count());
            }
        });
        part.unweighted().forEach((key, mean) -> {
            String filter = key.substring(key.lastIndexOf(','));
            json.put(key.substring(0, key.lastIndexOf(',')) + "_unweighted" + filter, mean);
        });
        return json;
    }

    private static void putError(ObjectNode json, String key, Mean mean) {
        if (mean.standardError().isPresent()) {
            json.put(key, mean.standardError().getAsDouble());
        } else {
            json.put(key, "N/A");
        }
    }
}
