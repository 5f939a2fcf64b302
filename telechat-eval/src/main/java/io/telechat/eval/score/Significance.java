// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.score;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** How likely what is seen would be, were there nothing behind it: p-values, all of them two-sided. */
public final class Significance {
    private static final double SERIES_UP_TO = 2;
    private static final int FRACTION_TERMS = 200;

    private Significance() {}

    /** Of a standard normal variable: that it is as far from 0 as {@code z} at least. */
    public static double ofNormal(double z) {
        return complementaryError(Math.abs(z) / Math.sqrt(2));
    }

    /**
     * The complementary error function of x ≥ 0 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 and, from 2 on,
     * the continued fraction 7.1.14).
     */
    private static double complementaryError(double x) {
        double scale = Math.exp(-x * x) / Math.sqrt(Math.PI);
        if (x < SERIES_UP_TO) {
            double term = 2 * x;
            double sum = term;
            for (int n = 1; term > sum * Math.ulp(1.0); n++) {
                term *= 2 * x * x / (2 * n + 1);
                sum += term;
            }
            return 1 - scale * sum;
        }
        double fraction = x;
        for (int n = FRACTION_TERMS; n > 0; n--) {
            fraction = x + n / 2.0 / fraction;
        }
        return scale / fraction;
    }

    /**
     * McNemar's test in its exact form: that of {@code gained + lost} documents that changed, each as likely one way as the other,
     * so few go the one way.
     */
    public static double ofMcNemar(int gained, int lost) {
        int n = gained + lost;
        double logTerm = -n * Math.log(2);
        double tail = 0;
        for (int k = 0; k <= Math.min(gained, lost); k++) {
            tail += Math.exp(logTerm);
            logTerm += Math.log((double) (n - k) / (k + 1));
        }
        return Math.min(1, 2 * tail);
    }

    /**
     * Corrected for there being several tests, whatever depends on what (Holm, A Simple Sequentially Rejective Multiple Test
     * Procedure, 1979).
     */
    public static List<Double> holm(List<Double> values) {
        int n = values.size();
        List<Integer> ascending = IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparing(values::get))
                .toList();
        List<Double> corrected = new ArrayList<>(values);
        double least = 0;
        for (int rank = 0; rank < n; rank++) {
            least = Math.max(least, Math.min(1, (n - rank) * values.get(ascending.get(rank))));
            corrected.set(ascending.get(rank), least);
        }
        return corrected;
    }
}
