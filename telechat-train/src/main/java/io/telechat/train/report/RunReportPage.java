// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import io.telechat.core.InvalidModelException;
import io.telechat.core.html.Html;
import io.telechat.core.html.Page;
import io.telechat.core.model.MemoryPlan;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** One or several runs on one page of HTML that needs nothing else: a table, and charts that lay the runs over each other. */
public final class RunReportPage {
    static final int COLORS = 8;
    private static final double MIB = 1 << 20;
    private static final double DECADE = 10;
    private static final String MISSING = "–";
    private static final DateTimeFormatter DAY =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final List<RunMetrics> runs;
    private final List<String> names;
    private final Axis steps;
    private final boolean logarithmicLoss;

    private RunReportPage(List<RunMetrics> runs, boolean logarithmicLoss) {
        this.runs = runs;
        this.logarithmicLoss = logarithmicLoss;
        this.names = names(runs);
        this.steps = Axis.ofSteps(
                runs.stream().mapToLong(r -> r.steps().getFirst().step()).min().orElseThrow(),
                runs.stream().mapToLong(r -> r.steps().getLast().step()).max().orElseThrow());
    }

    /**
     * @param directories of the runs, at least one
     * @param logarithmicLoss whether equal ratios of losses shall take equal room
     * @throws InvalidModelException if the metrics of a run are missing or damaged
     */
    public static RunReportPage of(List<Path> directories, boolean logarithmicLoss) {
        return new RunReportPage(
                directories.stream().distinct().map(RunMetrics::read).toList(), logarithmicLoss);
    }

    /** Directories' own names; the paths, if two are equal. */
    private static List<String> names(List<RunMetrics> runs) {
        List<String> names = runs.stream()
                .map(r -> r.directory().toAbsolutePath().normalize().getFileName())
                .map(n -> n == null ? "/" : n.toString())
                .toList();
        return names.stream().distinct().count() == names.size()
                ? names
                : runs.stream().map(r -> r.directory().toString()).toList();
    }

    /**
     * The file gets its name when it is whole.
     *
     * @throws io.telechat.core.InvalidInputException if it cannot be written
     */
    public void write(Path file) {
        page().write(file);
    }

    String html() {
        return page().html();
    }

    private Page page() {
        String title = runs.size() == 1 ? "Training: " + names.getFirst() : "%d training runs".formatted(runs.size());
        StringBuilder out = new StringBuilder();
        table(out);
        out.append("<input type=\"checkbox\" id=\"smooth\" checked=\"checked\"/>"
                + "<label for=\"smooth\">Smooth the curves</label>\n<div class=\"charts\">\n");
        charts().forEach(chart -> out.append(chart.html()));
        out.append("</div>\n");
        options(out);
        return new Page(
                title,
                Page.resource(RunReportPage.class, "report.css"),
                out.toString(),
                Page.resource(RunReportPage.class, "report.js"));
    }

    private void table(StringBuilder out) {
        List<String> columns = List.of(
                "Steps",
                "First loss",
                "Last loss",
                "Best loss",
                "Best evaluation",
                "Last evaluation",
                "Tokens/s",
                "MFU",
                "Peak memory",
                "Model",
                "Method",
                "Begun (UTC)",
                "Duration");
        out.append("<table><thead><tr><th scope=\"col\">Run</th>");
        columns.forEach(c -> out.append("<th scope=\"col\">%s</th>".formatted(c)));
        out.append("</tr></thead><tbody>\n");
        for (int i = 0; i < runs.size(); i++) {
            out.append("<tr><th scope=\"row\"><span class=\"swatch c%d\"></span>%s</th>"
                    .formatted(i % COLORS, Html.escape(names.get(i))));
            List<String> facts = facts(runs.get(i));
            for (int j = 0; j < columns.size(); j++) {
                out.append("<td data-label=\"%s\"><span>%s</span></td>".formatted(columns.get(j), facts.get(j)));
            }
            out.append("</tr>\n");
        }
        out.append("</tbody></table>\n<p class=\"note\">Tokens/s and MFU are medians over the steps.</p>\n");
    }

    private static List<String> facts(RunMetrics run) {
        List<RunMetrics.Step> all = run.steps();
        RunMetrics.Step best = all.stream()
                .min(Comparator.comparingDouble(RunMetrics.Step::loss))
                .orElseThrow();
        double mfu = median(all.stream().mapToDouble(RunMetrics.Step::mfu));
        double peak = all.stream().mapToDouble(RunMetrics.Step::rssMib).max().orElseThrow();
        return List.of(
                number("%,d", all.getLast().step()),
                number("%.4f", all.getFirst().loss()),
                number("%.4f", all.getLast().loss()),
                number("%.4f", best.loss()) + number(" <small>at %,d</small>", best.step()),
                run.evaluations().points().stream()
                        .filter(Curve.Point::isFinite)
                        .min(Comparator.comparingDouble(Curve.Point::value))
                        .map(p -> number("%.4f", p.value()) + number(" <small>at %,d</small>", p.step()))
                        .orElse(MISSING),
                run.evaluations().points().isEmpty()
                        ? MISSING
                        : number("%.4f", run.evaluations().points().getLast().value()),
                number("%,.0f", median(all.stream().mapToDouble(RunMetrics.Step::tokensPerSecond))),
                Double.isNaN(mfu) ? MISSING : number("%.1f %%", 100 * mfu),
                MemoryPlan.gib((long) (peak * MIB)),
                run.option("model-path")
                        .map(path -> Html.escape(String.valueOf(Path.of(path).getFileName())))
                        .orElse(MISSING),
                run.method().map(Html::escape).orElse(MISSING),
                all.getFirst().time().map(t -> DAY.format(t)).orElse(MISSING),
                run.duration().map(RunReportPage::text).orElse(MISSING));
    }

    private static String text(Duration duration) {
        long hours = duration.toHours();
        return hours > 0
                ? "%d h %d min".formatted(hours, duration.toMinutesPart())
                : "%d min %d s".formatted(duration.toMinutesPart(), duration.toSecondsPart());
    }

    private static String number(String format, Object value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** @return NaN if there is none; of an even number the greater one of the two in the middle */
    private static double median(DoubleStream values) {
        double[] sorted = values.filter(v -> !Double.isNaN(v)).sorted().toArray();
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
    }

    private List<LineChart> charts() {
        List<LineChart.Line> losses = lines(LineChart.Style.SMOOTHED, RunMetrics.Step::loss);
        for (int i = 0; i < runs.size(); i++) {
            if (!runs.get(i).evaluations().points().isEmpty()) {
                String name = names.get(i) + ", evaluation";
                losses.add(new LineChart.Line(
                        name, i, LineChart.Style.DOTTED, runs.get(i).evaluations()));
            }
        }
        List<LineChart.Line> norms = lines(LineChart.Style.SMOOTHED, RunMetrics.Step::gradientNorm);
        return List.of(
                new LineChart("Loss", "nats per token", losses, lossAxis(losses), steps),
                fromZero("Learning rate", "", lines(LineChart.Style.PLAIN, RunMetrics.Step::rate)),
                new LineChart("Gradient norm", "before clipping", norms, wideAxis(norms), steps),
                fromZero("Speed", "tokens/s", lines(LineChart.Style.SMOOTHED, RunMetrics.Step::tokensPerSecond)),
                fromZero("Memory", "resident, MiB", lines(LineChart.Style.PLAIN, RunMetrics.Step::rssMib)));
    }

    private List<LineChart.Line> lines(LineChart.Style style, ToDoubleFunction<RunMetrics.Step> quantity) {
        List<LineChart.Line> lines = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            lines.add(new LineChart.Line(names.get(i), i, style, runs.get(i).curve(quantity)));
        }
        return lines;
    }

    private LineChart fromZero(String title, String unit, List<LineChart.Line> lines) {
        return new LineChart(
                title, unit, lines, Axis.linear(0, values(lines).max().orElse(1)), steps);
    }

    private Axis lossAxis(List<LineChart.Line> lines) {
        double least = values(lines).min().orElse(0);
        return logarithmicLoss && least > 0
                ? Axis.logarithmic(least, values(lines).max().orElse(1))
                : axis(lines);
    }

    private static Axis axis(List<LineChart.Line> lines) {
        return Axis.linear(values(lines).min().orElse(0), values(lines).max().orElse(1));
    }

    /** Logarithmic where the values are positive and go over a decade. */
    private static Axis wideAxis(List<LineChart.Line> lines) {
        double least = values(lines).min().orElse(0);
        double greatest = values(lines).max().orElse(1);
        return least > 0 && greatest / least >= DECADE ? Axis.logarithmic(least, greatest) : axis(lines);
    }

    private static DoubleStream values(List<LineChart.Line> lines) {
        return lines.stream().flatMapToDouble(line -> line.curve().finite());
    }

    private void options(StringBuilder out) {
        for (int i = 0; i < runs.size(); i++) {
            String name = names.get(i);
            runs.get(i)
                    .options()
                    .ifPresent(text -> out.append("<details><summary>Options of %s</summary><pre>%s</pre></details>\n"
                            .formatted(Html.escape(name), Html.escape(text))));
        }
    }
}
