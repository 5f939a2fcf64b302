// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import io.telechat.core.InvalidInputException;
import io.telechat.eval.score.PairedScores;
import io.telechat.eval.score.TaskScores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** The documents of one task that two runs have answered. */
final class PairedTask {
    private final TaskScores task;
    private final Map<String, Map<String, PairedScores>> byPart = new LinkedHashMap<>();
    private final List<Change> changes = new ArrayList<>();
    private final SampleSelection selection;
    private int compared;
    private int differing;
    private int onlyFirst;
    private int onlySecond;

    /** Of the first run, until it meets its like: the question itself is the same in both, and kept as a fingerprint. */
    private record Before(Sample sample, String fingerprint) {}

    private PairedTask(TaskScores task, int mostOfKind) {
        this.task = task;
        this.selection = new SampleSelection(task.task(), mostOfKind);
    }

    static PairedTask read(TaskScores task, Path first, Path second, int mostOfKind) {
        PairedTask paired = new PairedTask(task, mostOfKind);
        Map<Sample.Key, Before> before = new HashMap<>();
        file(first, task).forEach(sample -> {
            Sample answer = new Sample(sample.part(), sample.id(), "", sample.rest());
            before.put(sample.key(), new Before(answer, sample.fingerprint()));
        });
        file(second, task).forEach(sample -> paired.add(before.remove(sample.key()), sample));
        paired.onlyFirst = before.size();
        return paired;
    }

    private static SampleFile file(Path directory, TaskScores task) {
        SampleFile file = new SampleFile(directory, task.task());
        if (!file.exists()) {
            throw new InvalidInputException(
                    "%s: there is no such file; give --log-samples to telechat eval", directory.resolve(file.name()));
        }
        return file;
    }

    private void add(Before before, Sample after) {
        if (before == null) {
            onlySecond++;
            return;
        }
        if (!before.fingerprint.equals(after.fingerprint())) {
            differing++;
            return;
        }
        compared++;
        Map<String, Double> old = before.sample.metrics();
        after.metrics().forEach((key, value) -> {
            if (old.containsKey(key)) {
                byPart.computeIfAbsent(after.part(), p -> new LinkedHashMap<>())
                        .computeIfAbsent(key, k -> new PairedScores())
                        .add(old.get(key), value);
            }
        });
        Change.between(before.sample, after).ifPresent(change -> {
            changes.add(change);
            selection.add(after, change.kind(), List.of(before.sample, after));
        });
    }

    /** Of groups, then of subtasks. */
    List<Comparison.Row> rows() {
        List<Comparison.Row> rows = new ArrayList<>();
        for (TaskScores.Part group : task.groups()) {
            Map<String, PairedScores> together = new LinkedHashMap<>();
            group.members().stream()
                    .filter(byPart::containsKey)
                    .forEach(member -> byPart.get(member)
                            .forEach((key, scores) -> together.computeIfAbsent(key, k -> new PairedScores())
                                    .addAll(scores)));
            add(rows, group.name(), false, together);
        }
        boolean isPart = !task.groups().isEmpty();
        byPart.forEach((part, scores) -> add(rows, part, isPart, scores));
        return rows;
    }

    private void add(List<Comparison.Row> rows, String name, boolean isPart, Map<String, PairedScores> scores) {
        scores.forEach(
                (key, of) -> rows.add(new Comparison.Row(task.task(), name, isPart, key, of, OptionalDouble.empty())));
    }

    String name() {
        return task.task();
    }

    List<Change> changes() {
        return changes;
    }

    /** Samples that changed, as many as a page has room for. */
    SampleSelection selection() {
        return selection;
    }

    /** Documents that both runs have answered. */
    int compared() {
        return compared;
    }

    /** Documents with another prompt or another right answer in the second run. */
    int differing() {
        return differing;
    }

    /** Documents that only the first run has. */
    int onlyFirst() {
        return onlyFirst;
    }

    /** Documents that only the second run has. */
    int onlySecond() {
        return onlySecond;
    }
}
