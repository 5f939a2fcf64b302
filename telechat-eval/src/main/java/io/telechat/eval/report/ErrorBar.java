// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import io.telechat.eval.score.Mean;
import java.util.Locale;

/**
 * Draws means with their intervals, all of a table to the same scale.
 *
 * @param least at the left end
 * @param greatest at the right end
 */
record ErrorBar(double least, double greatest) {
    /** Standard errors to either side that hold 95 % of a normal distribution. */
    static final double SIDE = 1.96;

    private static final int WIDTH = 160;
    private static final int MARGIN = 4;

    /** For scores. */
    static ErrorBar ofScores() {
        return new ErrorBar(0, 1);
    }

    /** For differences, with 0 in the middle. */
    static ErrorBar upTo(double greatest) {
        double side = greatest > 0 ? greatest : 1;
        return new ErrorBar(-side, side);
    }

    /** @param color a class of the style sheet */
    String svg(Mean mean, String color) {
        double reach = SIDE * mean.standardError().orElse(0);
        double from = mean.value() - reach;
        double to = mean.value() + reach;
        return """
            <svg class="bar %s" viewBox="0 0 %d 16" width="%d" height="16" role="img" aria-label="%s, from %s to %s">\
            <path class="scale" d="M%s 8H%s"/><path class="zero" d="M%s 3V13"/>\
            <path class="interval" d="M%s 8H%s"/><circle cx="%s" cy="8" r="3.5"/></svg>\
            """.formatted(
                        color,
                        WIDTH,
                        WIDTH,
                        Figures.score(mean.value()),
                        Figures.score(from),
                        Figures.score(to),
                        x(least),
                        x(greatest),
                        x(0),
                        x(from),
                        x(to),
                        x(mean.value()));
    }

    private String x(double value) {
        double inside = Math.clamp(value, least, greatest);
        double x = MARGIN + (inside - least) / (greatest - least) * (WIDTH - 2 * MARGIN);
        return String.format(Locale.ROOT, "%.1f", x);
    }
}
