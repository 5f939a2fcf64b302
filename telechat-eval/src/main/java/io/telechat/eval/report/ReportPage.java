// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.html.Html;
import io.telechat.core.html.Page;
import io.telechat.eval.EvalResults;
import io.telechat.eval.score.Mean;
import io.telechat.eval.score.TaskScores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A run on one page of HTML that needs nothing else: its scores, and samples to look through. */
public final class ReportPage {
    private static final int WRONG_AND_RIGHT = 2; // few are in between

    private ReportPage() {}

    /**
     * @param directory of the run, with {@code results.json} and, if there shall be samples on the page, {@code samples_TASK.jsonl}
     * @throws InvalidInputException if a file is missing or damaged
     */
    public static Page of(Path directory) {
        EvalResults results = EvalResults.read(directory);
        StringBuilder main = new StringBuilder();
        facts(main, RunFacts.of(results));
        results.tasks().forEach(task -> scores(main, task));
        main.append(
                "<p class=\"note\">Bars are 95 % intervals: ± 1.96 standard errors. The score of a group is the mean"
                        + " over its documents; the mean of subtasks counts each subtask the same.</p>\n");
        samples(main, selections(directory, results.tasks()), List.of());
        return page("Evaluation: " + RunFacts.name(directory), main);
    }

    static Page page(String title, StringBuilder main) {
        return new Page(
                title,
                Page.resource(ReportPage.class, "eval.css"),
                main.toString(),
                Page.resource(ReportPage.class, "samples.js"));
    }

    private static void facts(StringBuilder out, Map<String, String> facts) {
        out.append("<dl class=\"facts\">\n");
        facts.forEach((name, value) ->
                out.append("<div><dt>%s</dt><dd>%s</dd></div>\n".formatted(Html.escape(name), Html.escape(value))));
        out.append("</dl>\n");
    }

    private static void scores(StringBuilder out, TaskScores task) {
        out.append("""
            <section><h2>%s</h2><div class="wide"><table class="scores"><thead><tr><th scope="col">Task</th>\
            <th scope="col" class="text">Metric</th><th scope="col" class="text">Filter</th><th scope="col">n</th>\
            <th scope="col">Score</th><th scope="col">Std. error</th><th scope="col" class="text">0 to 1</th>\
            <th scope="col">Mean of subtasks</th></tr></thead><tbody>
            """.formatted(Html.escape(task.task())));
        task.groups().forEach(part -> rows(out, part, "group"));
        task.subtasks().forEach(part -> rows(out, part, task.groups().isEmpty() ? "group" : "part"));
        out.append("</tbody></table></div></section>\n");
    }

    private static void rows(StringBuilder out, TaskScores.Part part, String kind) {
        String name = Html.escape(part.name());
        if (part.metrics().isEmpty()) {
            out.append("<tr class=\"%s\"><th scope=\"row\">%s</th>".formatted(kind, name)
                    + "<td class=\"text\" colspan=\"2\">not scored</td><td>%s</td><td colspan=\"4\"></td></tr>\n"
                            .formatted(Figures.count(part.size())));
        }
        part.metrics().forEach((key, mean) -> {
            Double unweighted = part.unweighted().get(key);
            boolean several = unweighted != null && part.members().size() > 1;
            out.append("<tr class=\"%s\"><th scope=\"row\">%s</th>".formatted(kind, name));
            out.append("<td class=\"text\">%s</td><td class=\"text\">%s</td><td>%s</td><td><b>%s</b></td><td>%s</td>"
                    .formatted(
                            Html.escape(Figures.metric(key)),
                            Html.escape(Figures.filter(key)),
                            Figures.count(mean.count()),
                            Figures.score(mean.value()),
                            error(mean)));
            out.append("<td class=\"text\">%s</td><td>%s</td></tr>\n"
                    .formatted(ErrorBar.ofScores().svg(mean, "c0"), several ? Figures.score(unweighted) : ""));
        });
    }

    static String error(Mean mean) {
        return mean.standardError().isPresent() ? Figures.error(mean.standardError()) : "not known";
    }

    private static List<SampleSelection> selections(Path directory, List<TaskScores> tasks) {
        int documents = tasks.stream()
                .flatMap(task -> task.subtasks().stream())
                .mapToInt(TaskScores.Part::size)
                .sum();
        int parts = tasks.stream().mapToInt(task -> task.subtasks().size()).sum();
        int most = SampleSelection.mostOfKind(documents, parts, WRONG_AND_RIGHT);
        List<SampleSelection> selections = new ArrayList<>();
        for (TaskScores task : tasks) {
            SampleFile file = new SampleFile(directory, task.task());
            if (file.exists()) {
                SampleSelection selection = new SampleSelection(task.task(), most);
                file.forEach(sample -> selection.add(sample, sample.verdict(), List.of(sample)));
                selections.add(selection);
            }
        }
        return selections;
    }

    /**
     * The samples as data, and a place for the script to show them.
     *
     * @param runs names of the runs, if each sample has answers of several
     */
    static void samples(StringBuilder out, List<SampleSelection> selections, List<String> runs) {
        out.append(
                "<section id=\"samples\"><h2>%s</h2>\n".formatted(runs.isEmpty() ? "Samples" : "Samples that changed"));
        if (selections.isEmpty()) {
            out.append("<p class=\"note\">There are none on this page: the run was made without"
                    + " --log-samples.</p></section>\n");
            return;
        }
        for (SampleSelection selection : selections) {
            String file = Html.escape(new SampleFile(Path.of(""), selection.task()).name());
            out.append("<p class=\"note\">%s: %s of %s samples%s</p>\n"
                    .formatted(
                            Html.escape(selection.task()),
                            Figures.count(selection.kept()),
                            Figures.count(selection.seen()),
                            selection.kept() == selection.seen()
                                    ? "."
                                    : ", the first %d of each kind in each subtask; all of them are in %s%s."
                                            .formatted(
                                                    selection.mostOfKind(),
                                                    file,
                                                    runs.isEmpty() ? "" : " of both runs")));
        }
        ObjectNode data = new ObjectMapper().createObjectNode();
        ArrayNode names = data.putArray("runs");
        runs.forEach(names::add);
        ArrayNode tasks = data.putArray("tasks");
        selections.forEach(selection -> tasks.add(selection.json()));
        out.append("<noscript><p class=\"note\">To look through them, allow scripts.</p></noscript>\n");
        out.append("<script type=\"application/json\" id=\"data\">%s</script>\n</section>\n"
                .formatted(Html.escapeJson(data.toString())));
    }
}
