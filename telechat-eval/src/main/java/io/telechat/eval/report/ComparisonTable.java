// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import io.telechat.core.Message;
import io.telechat.eval.score.Mean;
import java.util.List;
import java.util.OptionalDouble;

/** A comparison as a table for a terminal. */
final class ComparisonTable {
    private static final String INDENT = "  ";

    private ComparisonTable() {}

    static String of(Comparison comparison) {
        StringBuilder out = new StringBuilder();
        out.append("A: %s\nB: %s\n".formatted(comparison.names().toArray()));
        comparison
                .settings()
                .forEach((name, values) ->
                        out.append("   %s: %s -> %s\n".formatted(name, values.getFirst(), values.getLast())));
        out.append('\n').append(table(comparison)).append('\n');
        out.append(Message.localized(
                        "p: exact test of McNemar where scores are 0 or 1, else paired z-test, two-sided; with"
                                + " Holm's correction for all tasks and groups, and apart from them for all"
                                + " subtasks; * below 0.05"))
                .append('\n');
        for (PairedTask task : comparison.tasks()) {
            leftOut(out, task);
        }
        return out.toString();
    }

    private static String table(Comparison comparison) {
        TextTable table = new TextTable()
                .left(Message.localized("Task"))
                .right("n")
                .left(Message.localized("Metric"))
                .left(Message.localized("Filter"))
                .right("A")
                .right("B")
                .right("B - A")
                .left(Message.localized("Std. error"))
                .right(Message.localized("Better"))
                .right(Message.localized("Worse"))
                .right("p")
                .right(Message.localized("p (Holm)"))
                .left("");
        String before = "";
        for (Comparison.Row row : comparison.rows()) {
            String place = row.task() + "\0" + row.name() + "\0" + row.isPart();
            Mean difference = row.scores().difference();
            table.row(List.of(
                    place.equals(before) ? "" : (row.isPart() ? INDENT : "") + row.name(),
                    Figures.count(row.scores().size()),
                    Figures.metric(row.key()),
                    Figures.filter(row.key()),
                    Figures.score(row.scores().firstMean()),
                    Figures.score(row.scores().secondMean()),
                    Figures.difference(difference.value()),
                    Figures.error(difference.standardError()),
                    Figures.count(row.scores().gained()),
                    Figures.count(row.scores().lost()),
                    text(row.probability()),
                    text(row.corrected()),
                    row.isSignificant() ? "*" : ""));
            before = place;
        }
        return table.toString();
    }

    private static String text(OptionalDouble probability) {
        return probability.isPresent() ? Figures.probability(probability.getAsDouble()) : "-";
    }

    private static void leftOut(StringBuilder out, PairedTask task) {
        if (task.differing() > 0) {
            out.append(Message.localized(
                            "%s: %,d documents are left out: they have another prompt or another right answer in B",
                            task.name(), task.differing()))
                    .append('\n');
        }
        if (task.onlyFirst() + task.onlySecond() > 0) {
            out.append(Message.localized(
                            "%s: documents of one run only are left out: %,d of A, %,d of B",
                            task.name(), task.onlyFirst(), task.onlySecond()))
                    .append('\n');
        }
    }
}
