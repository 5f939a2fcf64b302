// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Score;
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
 * @param read gives null if it finds nothing
 * @param same gets what was found, perhaps null, and the right answer
 */
record OneWay(UnaryOperator<String> read, BiPredicate<String, String> same, Optional<String> gold)
        implements AnswerRule {
    private static final String ACCURACY = "accuracy";

    @Override
    public Map<String, String> extract(String response) {
        return Collections.singletonMap(Score.NONE, read.apply(response));
    }

    @Override
    public List<Score> score(Map<String, String> extracted) {
        return gold.map(right -> List.of(Score.of(ACCURACY, Score.NONE, same.test(extracted.get(Score.NONE), right))))
                .orElse(List.of());
    }

    /** A question to be answered freely, until the model ends by itself; the rule must know the right answer. */
    Query.FreeAnswer query(OptionalInt maxNewTokens) {
        return new Query.FreeAnswer(List.of(), maxNewTokens, gold.orElseThrow(), this);
    }
}
