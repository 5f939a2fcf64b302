// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.UnaryOperator;

/**
 * Reads code, and runs it against its tests.
 *
 * @param filter name of the way to read
 * @param program of what was read, with its tests; empty if it is not known what was to be written, so that there is no score
 * @param check runs programs; empty if that is not allowed, so that the score has no value
 */
public record ProgramRule(
        String filter,
        UnaryOperator<String> read,
        Optional<UnaryOperator<String>> program,
        Optional<TaskSource.ProgramCheck> check)
        implements AnswerRule {
    private static final String METRIC = "pass@1";

    @Override
    public Map<String, String> extract(String response) {
        return Map.of(filter, read.apply(response));
    }

    @Override
    public List<Score> score(Map<String, String> extracted) {
        return program.map(of -> new Score(METRIC, filter, passed(of.apply(extracted.get(filter))))).stream()
                .toList();
    }

    private OptionalDouble passed(String whole) {
        return check.map(run -> OptionalDouble.of(run.passes(whole) ? 1 : 0)).orElse(OptionalDouble.empty());
    }
}
