// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import io.telechat.core.html.Html;
import java.util.List;
import java.util.Locale;

/**
 * A chart as a figure of HTML. Its lines are stretched to whatever room there is, marks and text keep their size; the
 * script {@code report.js} gets the values back from the coordinates and the ranges of the axes.
 *
 * @param unit what the values are
 * @param y the way up
 * @param steps the way to the right
 */
record LineChart(String title, String unit, List<Line> lines, Axis y, Axis steps) {
    private static final int SIDE = 100_000;
    private static final int BUCKETS = 500;

    /** How a line is drawn, and whether a smoothed one goes with it. */
    enum Style {
        PLAIN,
        SMOOTHED,
        /** Dashes, and a dot at every point. */
        DOTTED;

        private String css() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @param color number of the run, from 0 */
    record Line(String name, int color, Style style, Curve curve) {}

    String html() {
        StringBuilder out = new StringBuilder();
        out.append("<figure><figcaption><h2>%s</h2> <span class=\"unit\">%s</span></figcaption>\n"
                .formatted(Html.escape(title), Html.escape(unit)));
        legend(out);
        out.append("<div class=\"plot\"><svg class=\"axes\" role=\"img\" aria-label=\"%s over steps\">\n"
                .formatted(Html.escape(title)));
        marks(out);
        out.append("<svg class=\"lines\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" width=\"100%%\""
                        .formatted(SIDE, SIDE)
                + " height=\"100%%\" data-x=\"%s %s\" data-y=\"%s %s\" data-log=\"%s\">\n"
                        .formatted(steps.min(), steps.max(), y.min(), y.max(), y.logarithmic()));
        lines.forEach(line -> draw(out, line));
        out.append("</svg></svg><div class=\"tip\" hidden=\"hidden\"></div></div></figure>\n");
        return out.toString();
    }

    private void legend(StringBuilder out) {
        out.append("<ul class=\"legend\">");
        for (Line line : lines) {
            out.append("<li><svg class=\"key c%d %s\"><path d=\"M2 6H22\"/></svg>%s</li>"
                    .formatted(color(line), line.style().css(), Html.escape(line.name())));
        }
        out.append("</ul>\n");
    }

    private void marks(StringBuilder out) {
        for (Axis.Tick tick : y.ticks()) {
            String at = percent(1 - y.position(tick.value()));
            out.append("<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%s\" y2=\"%s\"/>".formatted(at, at));
            out.append("<text class=\"y\" x=\"-8\" y=\"%s\" dy=\"4\">%s</text>\n".formatted(at, tick.label()));
        }
        for (Axis.Tick tick : steps.ticks()) {
            String at = percent(steps.position(tick.value()));
            out.append(
                    "<svg x=\"%s\" y=\"100%%\"><path class=\"mark\" d=\"M0 0v5\"/><text class=\"x\" y=\"20\">%s</text></svg>\n"
                            .formatted(at, tick.label()));
        }
        out.append("<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"100%\" y2=\"100%\"/>");
        out.append("<text class=\"name\" x=\"100%\" y=\"100%\" dy=\"36\">step</text>\n");
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f%%", 100 * share);
    }

    private void draw(StringBuilder out, Line line) {
        Curve shown = line.curve().envelope(BUCKETS);
        out.append("<path class=\"line c%d %s\" data-name=\"%s\" d=\"%s\"/>\n"
                .formatted(color(line), line.style().css(), Html.escape(line.name()), path(shown)));
        if (line.style() == Style.SMOOTHED) {
            Curve smooth = line.curve().smoothed().thinned(2 * BUCKETS);
            out.append("<path class=\"line c%d smooth\" d=\"%s\"/>\n".formatted(color(line), path(smooth)));
        }
        if (line.style() == Style.DOTTED || shown.points().size() == 1) {
            out.append("<path class=\"dots c%d\" d=\"%s\"/>\n".formatted(color(line), dots(shown)));
        }
    }

    /** A value that is not finite parts the line; a lonely point becomes a short one. */
    private String path(Curve curve) {
        StringBuilder path = new StringBuilder();
        List<Curve.Point> points = curve.points();
        boolean begun = false;
        for (int i = 0; i < points.size(); i++) {
            if (points.get(i).isFinite()) {
                boolean ends = i + 1 == points.size() || !points.get(i + 1).isFinite();
                path.append(begun ? 'L' : 'M').append(at(points.get(i))).append(!begun && ends ? "h0" : "");
            }
            begun = points.get(i).isFinite();
        }
        return path.toString();
    }

    private String dots(Curve curve) {
        StringBuilder path = new StringBuilder();
        curve.points().stream()
                .filter(Curve.Point::isFinite)
                .forEach(p -> path.append('M').append(at(p)).append("h0"));
        return path.toString();
    }

    private String at(Curve.Point point) {
        return Math.round(SIDE * steps.position(point.step())) + " "
                + Math.round(SIDE * (1 - y.position(point.value())));
    }

    /** There are eight colours. */
    private static int color(Line line) {
        return line.color() % RunReportPage.COLORS;
    }
}
