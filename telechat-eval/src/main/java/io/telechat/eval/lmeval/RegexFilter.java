// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * Finds what matches an expression.
 *
 * @param last whether the last match counts; otherwise the first
 */
record RegexFilter(Pattern pattern, boolean last) implements UnaryOperator<String> {
    /** What stands for an answer that was not found. */
    static final String INVALID = "[invalid]";

    static RegexFilter first(String expression) {
        return new RegexFilter(PythonText.regex(expression), false);
    }

    static RegexFilter last(String expression) {
        return new RegexFilter(PythonText.regex(expression), true);
    }

    @Override
    public String apply(String response) {
        return find(response).orElse(INVALID);
    }

    /** Of a match with several groups, the first that is not empty; without the blanks around it. */
    Optional<String> find(String response) {
        List<List<String>> matches = PythonText.findAll(pattern, response);
        if (matches.isEmpty()) {
            return Optional.empty();
        }
        List<String> groups = last ? matches.getLast() : matches.getFirst();
        Optional<String> found = groups.size() == 1
                ? Optional.of(groups.getFirst())
                : groups.stream().filter(group -> !group.isEmpty()).findFirst();
        return found.map(PythonText::strip);
    }
}
