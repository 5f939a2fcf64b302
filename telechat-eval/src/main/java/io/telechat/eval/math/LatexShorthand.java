// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** LaTeX's short forms written out, as Hendrycks et al. do it in the comparison that comes with MATH. */
final class LatexShorthand {
    private static final String FRAC = "\\frac";

    private static final String SQRT = "\\sqrt";

    private static final Pattern PYTHON_INT = PythonText.regex("\\s*[+-]?\\d+(_\\d+)*\\s*");

    private static final Pattern CANONICAL_INT = Pattern.compile("0|-?[1-9][0-9]*");

    private LatexShorthand() {}

    /**
     * {@code \frac12} and {@code \frac1{2}} with braces; the whole text as it is if one of them breaks off after one character.
     *
     * @return empty where the text ends with {@code \frac}, or has two of them in a row
     */
    static Optional<String> fractions(String text) {
        List<String> parts = split(text, FRAC);
        StringBuilder result = new StringBuilder(parts.getFirst());
        for (String part : parts.subList(1, parts.size())) {
            if (part.isEmpty()) {
                return Optional.empty();
            }
            result.append(FRAC);
            if (part.charAt(0) == '{') {
                result.append(part);
            } else if (part.length() < 2) {
                return Optional.of(text);
            } else if (part.charAt(1) == '{') {
                result.append('{').append(part.charAt(0)).append('}').append(part, 1, part.length());
            } else {
                result.append('{').append(part.charAt(0)).append("}{").append(part.charAt(1));
                result.append('}').append(part, 2, part.length());
            }
        }
        return Optional.of(result.toString());
    }

    /** {@code \sqrt3} with braces; empty where nothing follows a {@code \sqrt}. */
    static Optional<String> roots(String text) {
        List<String> parts = split(text, SQRT);
        StringBuilder result = new StringBuilder(parts.getFirst());
        for (String part : parts.subList(1, parts.size())) {
            if (part.isEmpty()) {
                return Optional.empty();
            }
            result.append(SQRT);
            if (part.charAt(0) == '{') {
                result.append(part);
            } else {
                result.append('{').append(part.charAt(0)).append('}').append(part, 1, part.length());
            }
        }
        return Optional.of(result.toString());
    }

    /** {@code 1/2} as a {@code \frac}, if the text is that and no more; empty where one side of the only slash is no integer. */
    static Optional<String> slash(String text) {
        List<String> sides = split(text, "/");
        if (sides.size() != 2) {
            return Optional.of(text);
        }
        if (!sides.stream().allMatch(side -> PYTHON_INT.matcher(side).matches())) {
            return Optional.empty();
        }
        boolean plain =
                sides.stream().allMatch(side -> CANONICAL_INT.matcher(side).matches());
        return Optional.of(plain ? FRAC + "{" + sides.get(0) + "}{" + sides.get(1) + "}" : text);
    }

    /** The right side of an equation with one equals sign and at most two characters on the left, such as {@code k=5}. */
    static String rightSide(String text) {
        List<String> sides = split(text, "=");
        return sides.size() == 2 && sides.get(0).codePointCount(0, sides.get(0).length()) <= 2 ? sides.get(1) : text;
    }

    /** {@code str.split(separator)}. */
    static List<String> split(String text, String separator) {
        return List.of(text.split(Pattern.quote(separator), -1));
    }
}
