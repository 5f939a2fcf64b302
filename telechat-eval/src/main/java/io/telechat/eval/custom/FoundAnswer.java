// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.custom;

import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.text.PythonText;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The answer that stands in a text, which must be the right one.
 *
 * @param expression that finds it; empty if the text is the answer
 * @param last whether the last match counts, not the first
 */
record FoundAnswer(Optional<Pattern> expression, boolean last, boolean ignoreCase, boolean ignorePunctuation) {
    private static final Pattern PUNCTUATION = Pattern.compile("[^\\p{L}\\p{M}\\p{N}\\s]");

    /** @param gold the right answer; empty if it is not known */
    AnswerRule rule(Optional<String> gold) {
        return new OneWayRule("exact_match", this::find, this::same, gold);
    }

    private String find(String response) {
        return expression.isEmpty() ? PythonText.strip(response) : match(expression.get(), response);
    }

    private String match(Pattern pattern, String response) {
        Matcher matcher = pattern.matcher(response);
        String found = null;
        while (matcher.find() && (found == null || last)) {
            found = matcher.groupCount() > 0 ? matcher.group(1) : matcher.group();
        }
        return found;
    }

    private boolean same(String found, String gold) {
        return found != null && normal(found).equals(normal(gold));
    }

    private String normal(String text) {
        String folded = ignoreCase ? text.toLowerCase(Locale.ROOT) : text;
        return PythonText.strip(ignorePunctuation ? PUNCTUATION.matcher(folded).replaceAll("") : folded);
    }
}
