// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import java.util.Locale;
import java.util.OptionalDouble;

/** Numbers as reports write them: scores from 0 to 1, as lm-evaluation-harness shows them. */
final class Figures {
    private static final double SMALL = 1e-4;

    private Figures() {}

    static String score(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    static String difference(double value) {
        return String.format(Locale.ROOT, "%+.4f", value);
    }

    /** With the sign in front; empty if it is not known. */
    static String error(OptionalDouble error) {
        return error.isPresent() ? "± " + score(error.getAsDouble()) : "";
    }

    static String probability(double value) {
        return value < SMALL ? String.format(Locale.ROOT, "%.1e", value) : String.format(Locale.ROOT, "%.4f", value);
    }

    static String count(int value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    static String metric(String key) {
        return key.substring(0, key.lastIndexOf(','));
    }

    static String filter(String key) {
        return key.substring(key.lastIndexOf(',') + 1);
    }
}
