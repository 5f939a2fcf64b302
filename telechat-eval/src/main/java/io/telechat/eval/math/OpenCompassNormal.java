// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * OpenCompass's form of Minerva's normalisation: units go wherever they stand, the part after "answer is", in a box or between
 * dollars is kept, commas go from anything that is digits without them.
 */
final class OpenCompassNormal {
    private static final String[][] SUBSTITUTIONS = {
        {"an ", ""},
        {"a ", ""},
        {".$", "$"},
        {"\\$", ""},
        {"\\ ", ""},
        {" ", ""},
        {"mbox", "text"},
        {",\\text{and}", ","},
        {"\\text{and}", ","},
        {"\\text{m}", "\\text{}"},
        {"\\le", "<"}
    };

    private static final List<String> REMOVED = List.of(
            "square",
            "ways",
            "integers",
            "dollars",
            "mph",
            "inches",
            "ft",
            "hours",
            "km",
            "units",
            "\\ldots",
            "sue",
            "points",
            "feet",
            "minutes",
            "digits",
            "cents",
            "degrees",
            "cm",
            "gm",
            "pounds",
            "meters",
            "meals",
            "edges",
            "students",
            "childrentickets",
            "multiples",
            "\\text{s}",
            "\\text{.}",
            "\\text{\ns}",
            "\\text{}^2",
            "\\text{}^3",
            "\\text{\n}",
            "\\text{}",
            "\\mathrm{th}",
            "^\\circ",
            "^{\\circ}",
            "\\;",
            ",\\!",
            "{,}",
            "\"",
            "\\dots",
            "\n",
            "\r",
            "\f");

    private static final List<Pattern> WRAPPERS = List.of(
            PythonText.regex("\\\\text\\{\\((.*?)\\)\\}"),
            PythonText.regex("\\\\text\\{(.*?)\\}"),
            PythonText.regex("\\\\textbf\\{(.*?)\\}"),
            PythonText.regex("\\\\overline\\{(.*?)\\}"),
            PythonText.regex("\\\\boxed\\{(.*)\\}"));

    private static final List<Pattern> MARKS = List.of(
            PythonText.regex("finalansweris(.*)"),
            PythonText.regex("answer?is:?(.*)"),
            PythonText.regex("oxed\\{(.*?)\\}"),
            PythonText.regex("\\$(.*?)\\$"));

    private static final Pattern FRACTION = PythonText.regex("frac([^{])(.)");

    private static final Pattern ROOT = PythonText.regex("sqrt([^{])");

    private OpenCompassNormal() {}

    static String normalize(String answer) {
        String text = answer;
        for (String[] pair : SUBSTITUTIONS) {
            text = text.replace(pair[0], pair[1]);
        }
        for (String removed : REMOVED) {
            text = text.replace(removed, "");
        }
        for (Pattern wrapper : WRAPPERS) {
            text = wrapper.matcher(text).replaceAll("$1");
        }
        for (Pattern mark : MARKS) {
            text = lastMarked(mark, text);
        }
        text = PythonText.strip(text);
        if (text.contains("rac") && !text.contains("\\frac")) {
            text = text.replace("rac", "\\frac");
        }
        text = FRACTION.matcher(text).replaceAll("frac{$1}{$2}");
        text = ROOT.matcher(text).replaceAll("sqrt{$1}").replace("$", "");
        String digits = text.replace(",", "");
        return isDigits(digits) ? digits : text;
    }

    private static String lastMarked(Pattern mark, String text) {
        String last = text;
        Matcher found = mark.matcher(text);
        while (found.find()) {
            last = found.group(1);
        }
        return last;
    }

    /** {@code str.isdigit()}: decimal digits of any script, and raised or lowered ones. */
    private static boolean isDigits(String text) {
        return !text.isEmpty()
                && text.codePoints().allMatch(c -> Character.isDigit(c) || "¹²³".indexOf(c) >= 0 || isScriptDigit(c));
    }

    private static boolean isScriptDigit(int c) {
        return c == 0x2070 || c >= 0x2074 && c <= 0x2079 || c >= 0x2080 && c <= 0x2089;
    }
}
