// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;

/**
 * Reads an answer in one way, which may find nothing, and compares what it finds with the right one.
 *
 * @param metric of the score
 * @param read gives null if it finds nothing
 * @param same gets what was found, perhaps null, and the right answer
 * @param gold the right answer; empty if it is not known
 */
public record OneWayRule(
        String metric, UnaryOperator<String> read, BiPredicate<String, String> same, Optional<String> gold)
        implements AnswerRule {
    @Override
    public Map<String, String> extract(String response) {
        return Collections.singletonMap(Score.NONE, read.apply(response));
    }

    @Override
    public List<Score> score(Map<String, String> extracted) {
        return gold.map(right -> List.of(Score.of(metric, Score.NONE, same.test(extracted.get(Score.NONE), right))))
                .orElse(List.of());
    }

    /** A question that this rule reads the answer to; the right one must be known. See {@link Query.FreeAnswer}. */
    public Query.FreeAnswer query(List<String> until, OptionalInt maxNewTokens) {
        return new Query.FreeAnswer(until, maxNewTokens, gold.orElseThrow(), this);
    }
}
