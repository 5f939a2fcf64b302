// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Answers to AGIEval's cloze questions (Zhong et al., <a href="https://arxiv.org/abs/2304.06364">AGIEval: A Human-Centric Benchmark
 * for Evaluating Foundation Models</a>).
 */
public final class AgievalAnswer {
    private static final List<String> PREFIXES = List.of("The answer is therefore", "答案是");

    private static final Pattern DOLLARS = PythonText.regex("\\$(.*)\\$");

    private static final Pattern NUMBER = PythonText.regex("\\$?\\d+(?:\\.\\d+)?(?![\\w\\d])");

    private AgievalAnswer() {}

    /**
     * The answer as lm-eval finds it: in the last box, between the dollars of the last line that has two, after the last equals sign,
     * or the last number; of the first two what follows their last equals sign.
     */
    public static Optional<String> extract(String response) {
        if (response.contains("\\boxed")) {
            return Boxed.last(response).map(AgievalAnswer::afterEquals);
        }
        return last(DOLLARS, response)
                .map(AgievalAnswer::afterEquals)
                .filter(answer -> !answer.isEmpty())
                .or(() -> withoutDollars(response));
    }

    /** The answer as OpenCompass finds it: likewise, in what follows the words that announce it. */
    public static Optional<String> extractOpenCompass(String response) {
        String text = response;
        for (String prefix : PREFIXES) {
            int at = text.startsWith(prefix) ? 0 : text.lastIndexOf(prefix);
            if (at >= 0) {
                text = PythonText.strip(text.substring(at + prefix.length()));
            }
        }
        return extract(text);
    }

    /**
     * Whether lm-eval takes an answer as right: it is the one in the gold answer, which is read likewise.
     *
     * @param answer from {@link #extract}
     */
    public static boolean same(Optional<String> answer, String gold) {
        Optional<String> expected = extract(gold);
        return answer.isPresent() && expected.isPresent()
                ? HendrycksText.LENIENT.equal(answer.get(), expected.get())
                : answer.equals(expected);
    }

    private static Optional<String> withoutDollars(String text) {
        if (!text.contains("=")) {
            return last(NUMBER, text);
        }
        String answer = afterEquals(text);
        while (answer.endsWith(".")) {
            answer = answer.substring(0, answer.length() - 1);
        }
        int backslashN = answer.indexOf("\\n");
        return Optional.of(backslashN < 0 ? answer : answer.substring(0, backslashN));
    }

    private static String afterEquals(String text) {
        int at = text.lastIndexOf('=');
        if (at < 0) {
            return text;
        }
        int from = at + 1;
        while (from < text.length() && text.charAt(from) == ' ') {
            from++;
        }
        return text.substring(from);
    }

    /** The last match: its group, if the expression has one. */
    private static Optional<String> last(Pattern expression, String text) {
        Optional<String> last = Optional.empty();
        Matcher found = expression.matcher(text);
        while (found.find()) {
            last = Optional.of(found.group(found.groupCount()));
        }
        return last;
    }
}
