// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * Finds a number in digits; if there is none, in English words.
 *
 * @param last whether the last of several numbers counts; otherwise the first
 */
record NumberFilter(boolean last) implements UnaryOperator<String> {
    private static final Pattern DIGITS = PythonText.regex("([-0-9]+)");

    @Override
    public String apply(String response) {
        return new RegexFilter(DIGITS, last)
                .find(response)
                .or(() -> inWords(NumberWords.phrases(response.toLowerCase(Locale.ROOT))))
                .orElse(RegexFilter.INVALID);
    }

    private Optional<String> inWords(List<String> phrases) {
        if (phrases.isEmpty()) {
            return Optional.empty();
        }
        return NumberWords.value(last ? phrases.getLast() : phrases.getFirst());
    }
}
