// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.infer.sampling.SamplingOptions;
import java.util.Optional;

/**
 * What somebody asks for in place of what the checkpoint's generation_config.json says; what is empty is left to the file.
 *
 * @param greedy always the likeliest token: nothing the file says of sampling counts
 * @param sample whether to draw at random
 */
public record GenerationOverrides(
        boolean greedy,
        Optional<Boolean> sample,
        Optional<Float> temperature,
        Optional<Integer> topK,
        Optional<Float> topP,
        Optional<Float> minP,
        Optional<Float> repetitionPenalty,
        Optional<Float> presencePenalty,
        Optional<Float> frequencyPenalty) {
    /** Nothing. */
    public static final GenerationOverrides NONE = new GenerationOverrides(
            false,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    /** Whether tokens are drawn: asking for a temperature or a cut implies it. */
    boolean samples(boolean byFile) {
        boolean implied = temperature.isPresent() || topK.isPresent() || topP.isPresent() || minP.isPresent();
        return !greedy && sample.orElse(implied || byFile);
    }

    /** These numbers, and those of {@code base} where nothing is asked for. */
    SamplingOptions over(SamplingNumbers base) {
        return new SamplingOptions(
                samples(base.sample()),
                temperature.orElse(base.temperature()),
                topK.orElse(base.topK()),
                topP.orElse(base.topP()),
                minP.orElse(base.minP()),
                repetitionPenalty.orElse(base.repetitionPenalty()),
                presencePenalty.orElse(0f),
                frequencyPenalty.orElse(0f));
    }

    /** The numbers of a file, possible or not. */
    record SamplingNumbers(
            boolean sample, float temperature, int topK, float topP, float minP, float repetitionPenalty) {
        static final SamplingNumbers NEUTRAL = new SamplingNumbers(false, 1, 0, 1, 0, 1);
    }
}
