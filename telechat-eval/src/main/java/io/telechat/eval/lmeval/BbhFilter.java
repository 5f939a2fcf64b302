// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.data.BbhSet;
import io.telechat.eval.text.PythonText;
import java.util.function.UnaryOperator;

/** How an answer to a task of BBH is found in a text without a set form. */
final class BbhFilter {
    private BbhFilter() {}

    /**
     * What finds an answer.
     *
     * @param answers what they are
     * @param input the question
     * @param last whether the last of several answers counts; otherwise the first
     */
    static UnaryOperator<String> of(BbhSet.Answers answers, String input, boolean last) {
        return switch (answers) {
            case TRUTH -> regex("\\b(True|False)\\b", last);
            case YES_OR_NO -> regex("\\b(Yes|No|yes|no)\\b", last);
            case VALIDITY -> regex("\\b(valid|invalid)\\b", last);
            case BRACKETS -> regex("(?<= )([\" \\[\\(<{}>\\)\\]]+)|([\" \\[\\(<{}>\\)\\]]+)", last);
            case PLAUSIBILITY -> new YesNoFilter("no|not plausible", "yes|plausible", last);
            case HONESTY ->
                new YesNoFilter(
                        "no|does not tell the truth|is not telling the truth",
                        "yes|tells the truth|is telling the truth",
                        last);
            case NUMBER -> new NumberFilter(last);
            case OPTION -> OptionFilter.of(input, last);
            case WORDS -> WordOrderFilter.of(input);
        };
    }

    private static UnaryOperator<String> regex(String expression, boolean last) {
        return new RegexFilter(PythonText.regex(expression), last);
    }
}
