// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** MATH answers as OpenCompass has them: {@code math_postprocess_v2} and {@code MATHEvaluator} version 2. */
public final class OpenCompassMath {
    private static final Pattern INNER_BRACES = PythonText.regex("\\{(.*)\\}\\n?");

    private static final Pattern ANNOUNCED = PythonText.regex("final answer|answer is");

    private static final Pattern LAST_TEXT = PythonText.regex("\\\\text\\{.*?\\}\\Z");

    private static final Pattern MBOX = PythonText.regex("\\\\mbox\\{.*?\\}");

    private static final Pattern ZERO_DECIMALS = PythonText.regex("(\\d+)\\.0+([^\\d])");

    private static final Pattern ZERO_DECIMALS_AT_END = PythonText.regex("(\\d+)\\.0+\\Z");

    private static final Pattern ROOT_WORD = PythonText.regex("\\\\sqrt(\\w+)");

    private OpenCompassMath() {}

    /** What stands in the last box, less one inner pair of braces; else the sentence that announces the answer, or the first, normalised. */
    public static String extract(String response) {
        Optional<String> boxed = Boxed.last(response).map(OpenCompassMath::withoutInnerBraces);
        if (boxed.isPresent() && !boxed.get().isEmpty()) {
            return boxed.get();
        }
        List<String> sentences = LatexShorthand.split(response, ".");
        String announcing = sentences.stream()
                .filter(sentence ->
                        ANNOUNCED.matcher(sentence.toLowerCase(Locale.ROOT)).find())
                .findFirst()
                .orElse(sentences.getFirst());
        return OpenCompassNormal.normalize(announcing);
    }

    /** The answer of a worked solution, as it is compared; empty where none is boxed. */
    public static Optional<String> goldOf(String solution) {
        return Boxed.last(solution);
    }

    /** Whether two answers are the same text after a clean-up, after that and normalisation, or after normalisation alone. */
    public static boolean equal(String a, String b) {
        Optional<String> first = clean(a);
        Optional<String> second = clean(b);
        if (first.isPresent() && second.isPresent()) {
            if (first.equals(second) || sameNormal(first.get(), second.get())) {
                return true;
            }
        }
        return sameNormal(a, b) || a.equals(b);
    }

    private static String withoutInnerBraces(String answer) {
        Matcher braces = INNER_BRACES.matcher(answer);
        return braces.matches() ? braces.group(1) : answer;
    }

    private static boolean sameNormal(String a, String b) {
        return OpenCompassNormal.normalize(a).equals(OpenCompassNormal.normalize(b));
    }

    /** Empty where the reference fails. */
    private static Optional<String> clean(String answer) {
        String text = PythonText.strip(answer).replace("\n", "");
        text = withoutFinalDots(text)
                .replace("\\!", "")
                .replace("\\ ", "")
                .replace("\\\\", "\\")
                .replace("\\\\", "\\")
                .replace("tfrac", "frac")
                .replace("dfrac", "frac")
                .replace("\\left", "")
                .replace("\\right", "");
        String withoutUnit = PythonText.strip(LAST_TEXT.matcher(text).replaceAll(""));
        text = (withoutUnit.isEmpty() ? text : withoutUnit)
                .replace("^{\\circ}", "")
                .replace("^\\circ", "")
                .replace("\\$", "")
                .replace("$", "")
                .replace("\\text", "")
                .replace("x\\in", "")
                .replace("\\%", "")
                .replace("%", "")
                .replace(" .", " 0.")
                .replace("{.", "{0.")
                .replace("\\cdot", "")
                .replace("infinity", "\\infty");
        if (!text.contains("\\infty")) {
            text = text.replace("inf", "\\infty");
        }
        text = text.replace("+\\inity", "\\infty").replace("and", "").replace("\\mathbf", "");
        text = MBOX.matcher(text).replaceAll("");
        if (text.contains("j") && !text.contains("i")) {
            text = text.replace('j', 'i');
        }
        text = ZERO_DECIMALS.matcher(text).replaceAll("$1$2");
        text = ZERO_DECIMALS_AT_END.matcher(text).replaceAll("$1");
        if (text.isEmpty()) {
            return Optional.of(text);
        }
        text = LatexShorthand.rightSide(text.charAt(0) == '.' ? "0" + text : text);
        text = ROOT_WORD.matcher(text).replaceAll("\\\\sqrt{$1}").replace(" ", "");
        return LatexShorthand.slash(LatexShorthand.fractions(text).orElse(text));
    }

    private static String withoutFinalDots(String text) {
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == '.') {
            end--;
        }
        return text.substring(0, end);
    }
}
