// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.resume;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;

/**
 * Where a run stands. Everything else, the order of the samples and the learning rate, is a function of these.
 *
 * @param step updates that are done
 * @param samples that were trained, repetitions counted
 * @param bestEvaluation lowest loss on the samples that are not trained; infinite before the first
 * @param bestStep updates that were done at that measurement; 0 before the first
 * @param evaluationsSinceBest measurements since then
 * @param recipe what must not change when the run goes on
 * @param data the fingerprint of the samples, which must not change either
 */
public record RunState(
        @JsonProperty("step") long step,
        @JsonProperty("samples") long samples,
        @JsonProperty("best_evaluation") double bestEvaluation,
        @JsonProperty("best_step") long bestStep,
        @JsonProperty("evaluations_since_best") int evaluationsSinceBest,
        @JsonProperty("recipe") JsonNode recipe,
        @JsonProperty("data_sha256") String data) {
    /** Behind one more update of so many samples. */
    public RunState next(int more) {
        return new RunState(step + 1, samples + more, bestEvaluation, bestStep, evaluationsSinceBest, recipe, data);
    }

    /** With a measurement. */
    public RunState measured(double loss) {
        boolean better = loss < bestEvaluation;
        return new RunState(
                step,
                samples,
                better ? loss : bestEvaluation,
                better ? step : bestStep,
                better ? 0 : evaluationsSinceBest + 1,
                recipe,
                data);
    }
}
