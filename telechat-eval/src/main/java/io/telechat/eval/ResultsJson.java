// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.score.Mean;
import io.telechat.eval.score.TaskScores;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;

/**
 * {@code results.json}: scores under the keys of lm-evaluation-harness, {@code metric,filter} and {@code metric_stderr,filter}, and
 * beside them which subtasks and groups are of which task.
 */
final class ResultsJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String SIZE = "sample_len";
    private static final String ERROR = "_stderr";
    private static final String UNWEIGHTED = "_unweighted";

    private ResultsJson() {}

    static ObjectNode write(EvalResults evaluation) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("model", evaluation.model());
        json.set("settings", evaluation.settings());
        ObjectNode results = json.putObject("results");
        ObjectNode groups = json.putObject("groups");
        ObjectNode tasks = json.putObject("tasks");
        Set<String> shared = sharedNames(evaluation.tasks());
        for (TaskScores task : evaluation.tasks()) {
            ObjectNode content = tasks.putObject(task.task());
            ObjectNode subtasks = content.putObject("subtasks");
            for (TaskScores.Part part : task.subtasks()) {
                String key = shared.contains(part.name()) ? task.task() + "_" + part.name() : part.name();
                results.set(key, write(part));
                subtasks.put(part.name(), key);
            }
            ObjectNode members = content.putObject("groups");
            for (TaskScores.Part part : task.groups()) {
                groups.set(part.name(), write(part));
                part.members().forEach(members.putArray(part.name())::add);
            }
        }
        return json;
    }

    /** Subjects of the same name in several benchmarks. */
    private static Set<String> sharedNames(List<TaskScores> tasks) {
        Set<String> all = new TreeSet<>();
        Set<String> shared = new TreeSet<>();
        tasks.forEach(task -> task.subtasks().forEach(part -> {
            if (!all.add(part.name())) {
                shared.add(part.name());
            }
        }));
        return shared;
    }

    private static ObjectNode write(TaskScores.Part part) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put(SIZE, part.size());
        part.metrics().forEach((key, mean) -> {
            json.put(key, mean.value());
            if (mean.standardError().isPresent()) {
                json.put(with(ERROR, key), mean.standardError().getAsDouble());
            } else {
                json.put(with(ERROR, key), "N/A");
            }
            if (mean.count() != part.size()) {
                json.put(SIZE + "," + key, mean.count());
            }
        });
        part.unweighted().forEach((key, mean) -> json.put(with(UNWEIGHTED, key), mean));
        return json;
    }

    private static String with(String suffix, String key) {
        int comma = key.lastIndexOf(',');
        return key.substring(0, comma) + suffix + key.substring(comma);
    }

    /** @param source to name in complaints */
    static EvalResults read(String source, JsonNode json) {
        if (!json.path("settings").isObject() || !json.path("tasks").isObject()) {
            throw new InvalidInputException("%s: is not the results.json of telechat eval", source);
        }
        List<TaskScores> tasks = new ArrayList<>();
        json.get("tasks").properties().forEach(task -> {
            List<TaskScores.Part> subtasks = new ArrayList<>();
            task.getValue().path("subtasks").properties().forEach(part -> {
                JsonNode scores = json.path("results").path(part.getValue().asText());
                subtasks.add(read(source, part.getKey(), scores, List.of()));
            });
            List<TaskScores.Part> groups = new ArrayList<>();
            task.getValue().path("groups").properties().forEach(part -> {
                List<String> members = new ArrayList<>();
                part.getValue().forEach(member -> members.add(member.asText()));
                JsonNode scores = json.path("groups").path(part.getKey());
                groups.add(read(source, part.getKey(), scores, members));
            });
            tasks.add(new TaskScores(task.getKey(), subtasks, groups));
        });
        return new EvalResults(json.path("model").asText(), (ObjectNode) json.get("settings"), tasks, List.of());
    }

    private static TaskScores.Part read(String source, String name, JsonNode scores, List<String> members) {
        if (!scores.path(SIZE).isInt()) {
            throw new InvalidInputException("%s: has no scores of %s", source, name);
        }
        int size = scores.get(SIZE).intValue();
        Map<String, Mean> metrics = new LinkedHashMap<>();
        Map<String, Double> unweighted = new LinkedHashMap<>();
        scores.properties().forEach(entry -> {
            String key = entry.getKey();
            boolean score = key.indexOf(',') > 0 && scores.has(with(ERROR, key));
            if (score && entry.getValue().isNumber()) {
                JsonNode error = scores.get(with(ERROR, key));
                int count = scores.path(SIZE + "," + key).asInt(size);
                metrics.put(
                        key,
                        new Mean(
                                count,
                                entry.getValue().doubleValue(),
                                error.isNumber() ? OptionalDouble.of(error.doubleValue()) : OptionalDouble.empty()));
                JsonNode mean = scores.path(with(UNWEIGHTED, key));
                if (mean.isNumber()) {
                    unweighted.put(key, mean.doubleValue());
                }
            }
        });
        return new TaskScores.Part(name, size, metrics, unweighted, members);
    }
}
