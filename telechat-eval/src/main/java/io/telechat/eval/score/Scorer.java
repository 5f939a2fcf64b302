// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.score;

import io.telechat.eval.task.Group;
import io.telechat.eval.task.Score;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Gathers the scores of a task's documents. */
public final class Scorer {
    private final String task;
    private final Map<Optional<String>, List<List<Score>>> documents = new LinkedHashMap<>();

    public Scorer(String task) {
        this.task = task;
    }

    /** Adds a document, those of a subtask one behind the other. */
    public void add(Optional<String> subtask, List<Score> scores) {
        documents.computeIfAbsent(subtask, s -> new ArrayList<>()).add(scores);
    }

    /** What the documents so far come to. Groups of which there is no subtask are left out. */
    public TaskScores scores(List<Group> groups) {
        List<TaskScores.Part> subtasks = new ArrayList<>();
        documents.forEach((name, scores) -> subtasks.add(part(name.orElse(task), scores)));
        List<TaskScores.Part> means = new ArrayList<>();
        if (!documents.containsKey(Optional.<String>empty())) {
            for (Group group : groups) {
                List<TaskScores.Part> members = subtasks.stream()
                        .filter(p -> group.has().test(p.name()))
                        .toList();
                if (!members.isEmpty()) {
                    means.add(group(group.name(), members));
                }
            }
        }
        return new TaskScores(task, subtasks, means);
    }

    private static TaskScores.Part part(String name, List<List<Score>> documents) {
        Map<String, List<Double>> values = new LinkedHashMap<>();
        for (List<Score> document : documents) {
            for (Score score : document) {
                List<Double> of = values.computeIfAbsent(score.key(), k -> new ArrayList<>());
                score.value().ifPresent(of::add);
            }
        }
        Map<String, Mean> means = new LinkedHashMap<>();
        values.forEach((key, of) -> {
            if (!of.isEmpty()) {
                means.put(key, Mean.of(of));
            }
        });
        return new TaskScores.Part(name, documents.size(), means, Map.of(), List.of());
    }

    private static TaskScores.Part group(String name, List<TaskScores.Part> members) {
        Map<String, List<Mean>> byKey = new LinkedHashMap<>();
        members.forEach(member -> member.metrics()
                .forEach((key, mean) ->
                        byKey.computeIfAbsent(key, k -> new ArrayList<>()).add(mean)));
        Map<String, Mean> pooled = new LinkedHashMap<>();
        Map<String, Double> unweighted = new LinkedHashMap<>();
        byKey.forEach((key, means) -> {
            pooled.put(key, Mean.pooled(means));
            unweighted.put(key, Mean.unweighted(means));
        });
        int size = members.stream().mapToInt(TaskScores.Part::size).sum();
        List<String> names = members.stream().map(TaskScores.Part::name).toList();
        return new TaskScores.Part(name, size, pooled, unweighted, names);
    }
}
