// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.util.List;
import java.util.Optional;

/**
 * The comparison that comes with MATH (Hendrycks et al., <a href="https://arxiv.org/abs/2103.03874">Measuring Mathematical Problem
 * Solving With the MATH Dataset</a>): the same text after a clean-up, no algebra. Where the clean-up fails, the texts as they are.
 */
enum HendrycksText {
    /** Of lm-eval's {@code hendrycks_math}: the clean-up fails on {@code x/y}. */
    STRICT,

    /** Of AGIEval, in lm-eval and in OpenCompass: {@code x/y} is kept as it is. */
    LENIENT;

    private static final String UNIT = "\\text{ ";

    boolean equal(String a, String b) {
        Optional<String> first = clean(a);
        Optional<String> second = clean(b);
        return first.isPresent() && second.isPresent() ? first.equals(second) : a.equals(b);
    }

    /** Empty where the reference fails. */
    Optional<String> clean(String answer) {
        String text = answer.replace("\n", "")
                .replace("\\!", "")
                .replace("\\\\", "\\")
                .replace("tfrac", "frac")
                .replace("dfrac", "frac")
                .replace("\\left", "")
                .replace("\\right", "")
                .replace("^{\\circ}", "")
                .replace("^\\circ", "")
                .replace("\\$", "");
        List<String> units = LatexShorthand.split(text, UNIT);
        if (units.size() > 2) {
            return Optional.empty();
        }
        text = units.getFirst().replace("\\%", "").replace(" .", " 0.").replace("{.", "{0.");
        if (text.isEmpty()) {
            return Optional.of(text);
        }
        text = LatexShorthand.rightSide(text.charAt(0) == '.' ? "0" + text : text);
        return LatexShorthand.roots(text)
                .map(t -> t.replace(" ", ""))
                .flatMap(LatexShorthand::fractions)
                .map(t -> t.equals("0.5") ? "\\frac{1}{2}" : t)
                .flatMap(this::slash);
    }

    private Optional<String> slash(String text) {
        Optional<String> written = LatexShorthand.slash(text);
        return written.isEmpty() && this == LENIENT ? Optional.of(text) : written;
    }
}
