// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.custom;

import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Score;
import io.telechat.eval.text.PythonText;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The answer that stands in a text, which must be the right one.
 *
 * @param expression that finds it; empty if the text is the answer
 * @param last whether the last match counts, not the first
 * @param gold the right answer; empty if it is not known
 */
record FoundAnswer(
        Optional<Pattern> expression,
        boolean last,
        boolean ignoreCase,
        boolean ignorePunctuation,
        Optional<String> gold)
        implements AnswerRule {
    private static final Pattern PUNCTUATION = Pattern.compile("[^\\p{L}\\p{M}\\p{N}\\s]");

    @Override
    public Map<String, String> extract(String response) {
        Map<String, String> found = new HashMap<>();
        found.put(Score.NONE, expression.isEmpty() ? PythonText.strip(response) : match(expression.get(), response));
        return found;
    }

    private String match(Pattern pattern, String response) {
        Matcher matcher = pattern.matcher(response);
        String found = null;
        while (matcher.find() && (found == null || last)) {
            found = matcher.groupCount() > 0 ? matcher.group(1) : matcher.group();
        }
        return found;
    }

    @Override
    public List<Score> score(Map<String, String> extracted) {
        String found = extracted.get(Score.NONE);
        return gold.stream()
                .map(right -> Score.of(
                        "exact_match",
                        Score.NONE,
                        found != null && normal(found).equals(normal(right))))
                .toList();
    }

    private String normal(String text) {
        String folded = ignoreCase ? text.toLowerCase(Locale.ROOT) : text;
        return PythonText.strip(ignorePunctuation ? PUNCTUATION.matcher(folded).replaceAll("") : folded);
    }
}
