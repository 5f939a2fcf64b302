// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.eval.text.PythonText;
import java.math.BigInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The answers of GSM8K. Commas part numbers. */
final class Gsm8kAnswer {
    private static final String NEXT = "Question:";
    private static final Pattern NUMBER = PythonText.regex("-?\\d+\\.\\d+|-?\\d+");
    private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]+(?:_[0-9]+)*");
    private static final double TOLERANCE = 1e-6;

    private Gsm8kAnswer() {}

    /** The last number before a next question. */
    static String number(String response) {
        int next = response.indexOf(NEXT);
        Matcher number = NUMBER.matcher(next < 0 ? response : response.substring(0, next));
        String last = "NULL";
        while (number.find()) {
            last = number.group();
        }
        return last;
    }

    /** The same text, or nearly the same number; the right answer counts as a number if it is a whole one. */
    static boolean same(String answer, String gold) {
        if (answer.equals(gold)) {
            return true;
        }
        String right = digits(PythonText.strip(gold));
        if (!WHOLE.matcher(right).matches() || !NUMBER.matcher(answer).matches()) {
            return false;
        }
        double value = new BigInteger(right.replace("_", "")).doubleValue();
        return Math.abs(Double.parseDouble(digits(answer)) - value) < TOLERANCE;
    }

    /** The digits of any script as those of ASCII. */
    private static String digits(String number) {
        StringBuilder text = new StringBuilder();
        number.codePoints().forEach(c -> text.appendCodePoint(Character.isDigit(c) ? '0' + Character.digit(c, 10) : c));
        return text.toString();
    }
}
