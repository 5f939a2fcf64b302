// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import io.telechat.core.Message;
import io.telechat.eval.EvalResults;
import io.telechat.eval.score.Mean;
import io.telechat.eval.score.TaskScores;
import java.util.List;

/** The scores of a run as a table for a terminal. */
public final class ResultsTable {
    private static final String INDENT = "  ";

    private ResultsTable() {}

    /**
     * A line for each metric: of each task its groups first, then its subtasks, in the run's order. Groups of several subtasks have
     * the mean over all documents and the one over subtasks.
     *
     * @return plain text that ends with a line break
     */
    public static String of(EvalResults results) {
        TextTable table = new TextTable()
                .left(Message.localized("Task"))
                .right("n")
                .left(Message.localized("Metric"))
                .left(Message.localized("Filter"))
                .right(Message.localized("Score"))
                .left(Message.localized("Std. error"))
                .right(Message.localized("Mean of subtasks"));
        for (TaskScores task : results.tasks()) {
            for (TaskScores.Part group : task.groups()) {
                add(table, group == task.groups().getFirst() ? "" : INDENT, group);
            }
            task.subtasks().forEach(part -> add(table, task.groups().isEmpty() ? "" : INDENT, part));
        }
        return table.toString();
    }

    private static void add(TextTable table, String indent, TaskScores.Part part) {
        String name = indent + part.name();
        if (part.metrics().isEmpty()) {
            table.row(List.of(name, Figures.count(part.size()), "", "", Message.localized("not scored"), "", ""));
        }
        for (var metric : part.metrics().entrySet()) {
            Mean mean = metric.getValue();
            Double unweighted = part.unweighted().get(metric.getKey());
            boolean several = unweighted != null && part.members().size() > 1;
            table.row(List.of(
                    name,
                    Figures.count(mean.count()),
                    Figures.metric(metric.getKey()),
                    Figures.filter(metric.getKey()),
                    Figures.score(mean.value()),
                    Figures.error(mean.standardError()),
                    several ? Figures.score(unweighted) : ""));
            name = "";
        }
    }
}
