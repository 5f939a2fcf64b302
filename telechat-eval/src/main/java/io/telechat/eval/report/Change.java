// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A document to which two runs have given different answers.
 *
 * @param metrics those that are not the same, with both values
 * @param answers what counts of each answer
 */
record Change(Sample.Key document, Kind kind, Map<String, List<Double>> metrics, List<JsonNode> answers) {
    /** What a change does to the scores. */
    enum Kind {
        /** One score is lower, none is higher. */
        WORSE,
        /** One score is higher, none is lower. */
        BETTER,
        /** Scores have gone both ways, or have not changed with the answer. */
        OTHER
    }

    /** Empty if scores and answer are the same. */
    static Optional<Change> between(Sample before, Sample after) {
        Map<String, Double> old = before.metrics();
        Map<String, List<Double>> metrics = new LinkedHashMap<>();
        boolean lower = false;
        boolean higher = false;
        for (Map.Entry<String, Double> metric : after.metrics().entrySet()) {
            Double was = old.get(metric.getKey());
            if (was != null && !was.equals(metric.getValue())) {
                metrics.put(metric.getKey(), List.of(was, metric.getValue()));
                lower |= metric.getValue() < was;
                higher |= metric.getValue() > was;
            }
        }
        JsonNode answer = before.answer();
        if (metrics.isEmpty() && answer.equals(after.answer())) {
            return Optional.empty();
        }
        Kind kind = lower == higher ? Kind.OTHER : lower ? Kind.WORSE : Kind.BETTER;
        return Optional.of(new Change(after.key(), kind, metrics, List.of(answer, after.answer())));
    }
}
