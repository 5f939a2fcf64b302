// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The answers of BIG-Bench Hard. Its right answers are read in the same way. */
final class BbhAnswer {
    private static final String ANNOUNCED = "answer is ";
    private static final Pattern BRACKETED = Pattern.compile("\\(([A-Z])");
    private static final Pattern CAPITAL = Pattern.compile("([A-Z])");

    private static final Pattern ANNOUNCED_FREELY = PythonText.regex("answer is\\s*:?\\s*", Pattern.CASE_INSENSITIVE);
    private static final Pattern BOLD = PythonText.regex("\\*\\*(.*?)\\*\\*");
    private static final List<Pattern> VERDICTS = List.of(
            PythonText.regex("^(yes|no)\\b", Pattern.CASE_INSENSITIVE),
            PythonText.regex("^(true|false)\\b", Pattern.CASE_INSENSITIVE));
    private static final Pattern COMMA_OF_NUMBERS = PythonText.regex("\\d\\s*,\\s*\\d");
    private static final Pattern COMMA = PythonText.regex("\\s*,\\s*");
    private static final Pattern SPACE = PythonText.regex("\\s+");

    private BbhAnswer() {}

    /** A letter: what stands behind the first announcement, up to the next, in brackets or else the first capital there. */
    static String choice(String response) {
        String answer = response;
        int announced = response.indexOf(ANNOUNCED);
        if (announced >= 0) {
            int from = announced + ANNOUNCED.length();
            int to = response.indexOf(ANNOUNCED, from);
            answer = PythonText.strip(response.substring(from, to < 0 ? response.length() : to));
        }
        Matcher letter = BRACKETED.matcher(answer);
        if (letter.find()) {
            return letter.group(1);
        }
        letter = CAPITAL.matcher(answer);
        return letter.find() ? letter.group(1) : answer;
    }

    /** A text: the line behind the last announcement, without what emphasises, explains or separates. */
    static String free(String response) {
        String answer = response;
        Matcher announced = ANNOUNCED_FREELY.matcher(response);
        while (announced.find()) {
            answer = PythonText.strip(response.substring(announced.end()));
        }
        answer = PythonText.strip(answer.split("\n", 2)[0]);
        if (answer.endsWith(".")) {
            answer = PythonText.strip(answer.substring(0, answer.length() - 1));
        }
        Matcher bold = BOLD.matcher(answer);
        if (bold.find()) {
            answer = PythonText.strip(bold.group(1));
        }
        for (Pattern verdict : VERDICTS) {
            Matcher said = verdict.matcher(answer);
            if (said.lookingAt()) {
                return PythonText.capitalize(said.group(1));
            }
        }
        if (!COMMA_OF_NUMBERS.matcher(answer).find()) {
            answer = COMMA.matcher(answer).replaceAll(" ");
        }
        return PythonText.strip(SPACE.matcher(answer).replaceAll(" "));
    }

    static boolean sameText(String a, String b) {
        return PythonText.casefold(a).equals(PythonText.casefold(b));
    }
}
