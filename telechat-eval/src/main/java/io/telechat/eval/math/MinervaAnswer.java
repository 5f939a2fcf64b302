// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Final answers as lm-evaluation-harness 0.4.13 has them in {@code minerva_math}, after appendix D of Lewkowycz et al., <a
 * href="https://arxiv.org/abs/2206.14858">Solving Quantitative Reasoning Problems with Language Models</a>.
 */
public final class MinervaAnswer {
    /** What is extracted where a text does not give its answer in the form asked for. */
    public static final String INVALID = "[invalidanswer]";

    private static final String END = "I hope it is correct.";

    private static final Pattern FINAL =
            PythonText.regex("Final Answer: The final answer is(.*?). I hope it is correct.");

    private static final List<String> UNITS_FIRST =
            List.of("square", "ways", "integers", "dollars", "mph", "inches", "ft", "hours", "km", "units");

    private static final List<String> UNITS_LAST = List.of(
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
            "multiples");

    private static final Pattern UNIT_WORD = PythonText.regex(
            "(?<!\\\\)\\b(?:" + String.join("|", UNITS_FIRST) + "|" + String.join("|", UNITS_LAST) + ")\\b");

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
        {"\\text{m}", "\\text{}"}
    };

    private static final List<String> REMOVED = List.of(
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
            "\\dots");

    private static final Pattern COMMAND = Pattern.compile("\\\\[a-zA-Z]+");

    private static final Pattern DOLLARS = PythonText.regex(".*?\\$(.*?)\\$.*");

    private static final List<Pattern> WRAPPERS = List.of(
            PythonText.regex("\\\\text\\{(.*?)\\}"),
            PythonText.regex("\\\\textbf\\{(.*?)\\}"),
            PythonText.regex("\\\\overline\\{(.*?)\\}"),
            PythonText.regex("\\\\boxed\\{(.*)\\}"));

    private static final Pattern FRACTION = PythonText.regex("frac([^{])(.)");

    private static final Pattern INDEXED_ROOT = PythonText.regex("sqrt(\\[[^\\]]*\\])(\\w)");

    private static final Pattern ROOT = PythonText.regex("sqrt(?!\\[)([^{])");

    private static final Pattern THOUSANDS = PythonText.regex("-?\\d{1,3}(,\\d{3})+");

    private MinervaAnswer() {}

    /** The answer that a response gives in the words of the shots, stripped; else {@link #INVALID}. */
    public static String extract(String response) {
        Matcher found = FINAL.matcher(response + END);
        return found.find() ? PythonText.strip(found.group(1)) : INVALID;
    }

    /** The normalised answer of a worked solution; empty where none is boxed. */
    public static Optional<String> goldOf(String solution) {
        return Boxed.lastOrUnbraced(solution).map(MinervaAnswer::normalize);
    }

    /** Whether two normalised answers are the same text or have the same value; nothing equals the empty answer. */
    public static boolean equal(String a, String b) {
        return a.equals(b) && !a.isEmpty() || SymbolicEquality.holds(a, b);
    }

    /** An answer without units, blanks and wrappers, and with LaTeX's short forms written out. The order of the steps matters. */
    public static String normalize(String answer) {
        String text = answer.substring(answer.lastIndexOf('=') + 1);
        text = UNIT_WORD.matcher(text).replaceAll("");
        for (String[] pair : SUBSTITUTIONS) {
            text = text.replace(pair[0], pair[1]);
        }
        text = withoutUnits(text, UNITS_FIRST).replace("\\ldots", "");
        text = withoutUnits(text, UNITS_LAST);
        for (String removed : REMOVED) {
            text = text.replace(removed, "");
        }
        text = DOLLARS.matcher(text).replaceAll("\\$$1\\$");
        for (Pattern wrapper : WRAPPERS) {
            text = wrapper.matcher(text).replaceAll("$1");
        }
        text = FRACTION.matcher(text).replaceAll("frac{$1}{$2}");
        text = INDEXED_ROOT.matcher(text).replaceAll("sqrt$1{$2}");
        text = ROOT.matcher(text).replaceAll("sqrt{$1}");
        text = text.replace("$", "");
        return THOUSANDS.matcher(text).matches() ? text.replace(",", "") : text;
    }

    /** Removes each word where it stands outside the names of commands, so that {@code ft} spares {@code \left}. */
    private static String withoutUnits(String text, List<String> words) {
        String result = text;
        for (String word : words) {
            StringBuilder kept = new StringBuilder();
            Matcher command = COMMAND.matcher(result);
            int from = 0;
            while (command.find()) {
                kept.append(result.substring(from, command.start()).replace(word, ""))
                        .append(command.group());
                from = command.end();
            }
            result = kept.append(result.substring(from).replace(word, "")).toString();
        }
        return result;
    }
}
