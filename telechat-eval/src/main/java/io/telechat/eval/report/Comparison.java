// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.html.Page;
import io.telechat.eval.EvalResults;
import io.telechat.eval.score.PairedScores;
import io.telechat.eval.score.Significance;
import io.telechat.eval.score.TaskScores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/** How two runs differ on the documents that both have answered. */
public final class Comparison {
    private static final int KINDS_OF_CHANGE = 3;

    private final List<String> names;
    private final Map<String, List<String>> settings;
    private final List<PairedTask> tasks;
    private final List<Row> rows;

    /**
     * A metric of a task, a group or a subtask.
     *
     * @param isPart whether it is a subtask of a task with several
     * @param corrected the p-value, corrected for the rows beside it: those of subtasks, or all others
     */
    record Row(String task, String name, boolean isPart, String key, PairedScores scores, OptionalDouble corrected) {
        private static final double LEVEL = 0.05;

        /** The exact test of McNemar where scores are 0 or 1, else the paired z-test; empty if neither can tell. */
        OptionalDouble probability() {
            return scores.mcNemar().isPresent() ? scores.mcNemar() : scores.pairedZ();
        }

        boolean isSignificant() {
            return corrected.isPresent() && corrected.getAsDouble() < LEVEL;
        }
    }

    private Comparison(List<String> names, Map<String, List<String>> settings, List<PairedTask> tasks, List<Row> rows) {
        this.names = names;
        this.settings = settings;
        this.tasks = tasks;
        this.rows = rows;
    }

    /**
     * Compares two runs that were made with {@code --log-samples}. Documents that were put otherwise in the one than in the other,
     * or that only one of them has, are counted and left out.
     *
     * @throws InvalidInputException if a file is missing or damaged, or there is no document in common
     */
    public static Comparison of(Path first, Path second) {
        EvalResults before = EvalResults.read(first);
        EvalResults after = EvalResults.read(second);
        List<TaskScores> shared = before.tasks().stream()
                .filter(task ->
                        after.tasks().stream().anyMatch(other -> other.task().equals(task.task())))
                .toList();
        if (shared.isEmpty()) {
            throw new InvalidInputException("%s and %s have no task in common", first, second);
        }
        int documents = 0;
        int parts = 0;
        for (TaskScores task : shared) {
            parts += task.subtasks().size();
            documents +=
                    task.subtasks().stream().mapToInt(TaskScores.Part::size).sum();
        }
        int most = SampleSelection.mostOfKind(documents, parts, KINDS_OF_CHANGE);
        List<PairedTask> tasks = shared.stream()
                .map(task -> PairedTask.read(task, first, second, most))
                .toList();
        if (tasks.stream().allMatch(task -> task.compared() == 0)) {
            int differing = tasks.stream().mapToInt(PairedTask::differing).sum();
            throw new InvalidInputException(
                    "%s and %s have no document in common: %,d have another prompt or another right answer; only runs"
                            + " with the same files, --style and --num-fewshot can be compared",
                    first, second, differing);
        }
        List<Row> rows = new ArrayList<>();
        tasks.forEach(task -> rows.addAll(task.rows()));
        String name = RunFacts.name(first);
        String other = RunFacts.name(second);
        List<String> names = name.equals(other) ? List.of(first.toString(), second.toString()) : List.of(name, other);
        return new Comparison(names, settings(before, after), tasks, corrected(rows));
    }

    /** Those in which the runs differ. */
    private static Map<String, List<String>> settings(EvalResults before, EvalResults after) {
        Map<String, String> old = RunFacts.of(before);
        Map<String, String> now = RunFacts.of(after);
        Set<String> all = new LinkedHashSet<>(old.keySet());
        all.addAll(now.keySet());
        Map<String, List<String>> differing = new LinkedHashMap<>();
        for (String name : all) {
            List<String> values = List.of(old.getOrDefault(name, "–"), now.getOrDefault(name, "–"));
            if (!values.getFirst().equals(values.getLast())) {
                differing.put(name, values);
            }
        }
        return differing;
    }

    private static List<Row> corrected(List<Row> rows) {
        List<Row> result = new ArrayList<>(rows);
        for (boolean parts : new boolean[] {false, true}) {
            List<Integer> family = new ArrayList<>();
            for (int i = 0; i < rows.size(); i++) {
                if (rows.get(i).isPart() == parts && rows.get(i).probability().isPresent()) {
                    family.add(i);
                }
            }
            List<Double> corrected = Significance.holm(family.stream()
                    .map(i -> rows.get(i).probability().getAsDouble())
                    .toList());
            for (int i = 0; i < family.size(); i++) {
                Row row = rows.get(family.get(i));
                result.set(
                        family.get(i),
                        new Row(
                                row.task(),
                                row.name(),
                                row.isPart(),
                                row.key(),
                                row.scores(),
                                OptionalDouble.of(corrected.get(i))));
            }
        }
        return List.copyOf(result);
    }

    /** Of the first and the second run. */
    List<String> names() {
        return names;
    }

    /** Settings in which the runs differ, with the values of both. */
    Map<String, List<String>> settings() {
        return settings;
    }

    List<PairedTask> tasks() {
        return tasks;
    }

    /** In the order of the tasks, groups first. */
    List<Row> rows() {
        return rows;
    }

    /** A table for a terminal, with what has to be said of it below; ends with a line break. */
    public String text() {
        return ComparisonTable.of(this);
    }

    /** All figures, and which documents have changed. */
    public ObjectNode json() {
        return ComparisonJson.of(this);
    }

    /** The same as a page, with samples that changed to look through. */
    public Page page() {
        return ComparisonPage.of(this);
    }
}
