// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import io.telechat.core.html.Html;
import io.telechat.core.html.Page;
import io.telechat.eval.score.Mean;
import java.util.OptionalDouble;

/** A comparison as a page of HTML. */
final class ComparisonPage {
    private ComparisonPage() {}

    static Page of(Comparison comparison) {
        StringBuilder main = new StringBuilder();
        settings(main, comparison);
        ErrorBar scale = ErrorBar.upTo(comparison.rows().stream()
                .map(row -> row.scores().difference())
                .mapToDouble(d ->
                        Math.abs(d.value()) + ErrorBar.SIDE * d.standardError().orElse(0))
                .max()
                .orElse(1));
        for (PairedTask task : comparison.tasks()) {
            scores(main, comparison, task, scale);
        }
        main.append(
                "<p class=\"note\">B − A is the mean over the documents that both runs have answered, ± the standard"
                    + " error of the paired differences; bars are 95 % intervals, ± 1.96 of it. p is two-sided: of the"
                    + " exact test of McNemar where scores are 0 or 1, else of the paired z-test. p (Holm) is"
                    + " corrected for there being several rows: all tasks and groups together, and apart from them all"
                    + " subtasks together; in bold below 0.05.</p>\n");
        ReportPage.samples(
                main, comparison.tasks().stream().map(PairedTask::selection).toList(), comparison.names());
        return ReportPage.page(String.join(" → ", comparison.names()), main);
    }

    private static void settings(StringBuilder out, Comparison comparison) {
        out.append("<div class=\"wide\"><table class=\"settings\"><thead><tr><th scope=\"col\">Run</th>"
                + "<th scope=\"col\" class=\"text\">A: %s</th><th scope=\"col\" class=\"text\">B: %s</th></tr></thead><tbody>\n"
                        .formatted(
                                Html.escape(comparison.names().getFirst()),
                                Html.escape(comparison.names().getLast())));
        comparison
                .settings()
                .forEach((name, values) -> out.append(
                        "<tr><th scope=\"row\">%s</th><td class=\"text\">%s</td><td class=\"text\">%s</td></tr>\n"
                                .formatted(
                                        Html.escape(name),
                                        Html.escape(values.getFirst()),
                                        Html.escape(values.getLast()))));
        out.append("</tbody></table></div>\n");
        if (comparison.settings().isEmpty()) {
            out.append("<p class=\"note\">Both runs name the same model and the same settings.</p>\n");
        }
    }

    private static void scores(StringBuilder out, Comparison comparison, PairedTask task, ErrorBar scale) {
        out.append("""
            <section><h2>%s</h2><div class="wide"><table class="scores"><thead><tr><th scope="col">Task</th>\
            <th scope="col" class="text">Metric</th><th scope="col" class="text">Filter</th><th scope="col">n</th>\
            <th scope="col">A</th><th scope="col">B</th><th scope="col">B − A</th><th scope="col">Std. error</th>\
            <th scope="col" class="text">± %s</th><th scope="col">Better</th><th scope="col">Worse</th>\
            <th scope="col">p</th><th scope="col">p (Holm)</th></tr></thead><tbody>
            """.formatted(Html.escape(task.name()), Figures.score(scale.greatest())));
        comparison.rows().stream()
                .filter(row -> row.task().equals(task.name()))
                .forEach(row -> out.append(html(row, scale)));
        out.append("</tbody></table></div>\n");
        out.append("<p class=\"note\">%s documents compared".formatted(Figures.count(task.compared())));
        if (task.differing() > 0) {
            out.append("; %s left out, because they have another prompt or another right answer in B"
                    .formatted(Figures.count(task.differing())));
        }
        if (task.onlyFirst() + task.onlySecond() > 0) {
            out.append("; left out, because one run only has them: %s of A, %s of B"
                    .formatted(Figures.count(task.onlyFirst()), Figures.count(task.onlySecond())));
        }
        out.append(".</p></section>\n");
    }

    private static String html(Comparison.Row row, ErrorBar scale) {
        Mean difference = row.scores().difference();
        String color = !row.isSignificant() ? "c7" : difference.value() > 0 ? "c2" : "c1";
        String corrected = text(row.corrected());
        return "<tr class=\"%s\"><th scope=\"row\">%s</th>"
                        .formatted(row.isPart() ? "part" : "group", Html.escape(row.name()))
                + "<td class=\"text\">%s</td><td class=\"text\">%s</td><td>%s</td><td>%s</td><td>%s</td><td><b>%s</b></td>"
                        .formatted(
                                Html.escape(Figures.metric(row.key())),
                                Html.escape(Figures.filter(row.key())),
                                Figures.count(row.scores().size()),
                                Figures.score(row.scores().firstMean()),
                                Figures.score(row.scores().secondMean()),
                                Figures.difference(difference.value()))
                + "<td>%s</td><td class=\"text\">%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n"
                        .formatted(
                                ReportPage.error(difference),
                                scale.svg(difference, color),
                                Figures.count(row.scores().gained()),
                                Figures.count(row.scores().lost()),
                                text(row.probability()),
                                row.isSignificant() ? "<b>" + corrected + "</b>" : corrected);
    }

    private static String text(OptionalDouble probability) {
        return probability.isPresent() ? Figures.probability(probability.getAsDouble()) : "–";
    }
}
