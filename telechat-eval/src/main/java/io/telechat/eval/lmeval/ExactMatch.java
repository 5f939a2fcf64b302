// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Whether two texts are the same, but for what does not count.
 *
 * @param ignored what is taken out of both, one after the other
 * @param ignoreCase whether capitals do not count either
 */
record ExactMatch(List<Pattern> ignored, boolean ignoreCase) {
    /** Of texts as they are. */
    static final ExactMatch PLAIN = new ExactMatch(List.of(), false);

    static ExactMatch ignoring(String... expressions) {
        return new ExactMatch(
                List.of(expressions).stream().map(PythonText::regex).toList(), true);
    }

    boolean equal(String a, String b) {
        return reduced(a).equals(reduced(b));
    }

    private String reduced(String text) {
        String left = text;
        for (Pattern pattern : ignored) {
            left = pattern.matcher(left).replaceAll("");
        }
        return ignoreCase ? left.toLowerCase(Locale.ROOT) : left;
    }
}
