// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Score;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Finds an answer in several ways, and compares each find with the right one.
 *
 * @param filters each by its name
 * @param gold empty if it is not known
 */
record ExactMatchRule(List<Named> filters, ExactMatch match, Optional<String> gold) implements AnswerRule {
    /** A way to find an answer. */
    record Named(String name, UnaryOperator<String> find) {}

    @Override
    public Map<String, String> extract(String response) {
        Map<String, String> found = new LinkedHashMap<>();
        filters.forEach(filter -> found.put(filter.name, filter.find.apply(response)));
        return found;
    }

    @Override
    public List<Score> score(Map<String, String> extracted) {
        return gold.stream()
                .flatMap(right -> filters.stream()
                        .map(filter ->
                                Score.of("exact_match", filter.name, match.equal(extracted.get(filter.name), right))))
                .toList();
    }
}
