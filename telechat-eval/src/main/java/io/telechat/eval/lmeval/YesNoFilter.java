// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.text.PythonText;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** Finds phrases that mean yes or no, in any case. */
final class YesNoFilter implements UnaryOperator<String> {
    private final RegexFilter phrase;
    private final Pattern no;

    /**
     * @param no phrases with bars between them
     * @param yes likewise
     * @param last whether the last of several phrases counts; otherwise the first
     */
    YesNoFilter(String no, String yes, boolean last) {
        this.no = PythonText.regex("\\b(" + no + ")\\b");
        phrase = new RegexFilter(PythonText.regex(this.no.pattern() + "|\\b(" + yes + ")\\b"), last);
    }

    @Override
    public String apply(String response) {
        return phrase.find(response.toLowerCase(Locale.ROOT))
                .map(found -> no.matcher(found).find() ? "no" : "yes")
                .orElse(RegexFilter.INVALID);
    }
}
