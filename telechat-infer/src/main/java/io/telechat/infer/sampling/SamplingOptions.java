// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;

/**
 * How tokens are chosen.
 *
 * @param sample whether to draw at random; otherwise the likeliest token is taken, and temperature, top-k, top-p and min-p
 *     have no effect
 * @param temperature below 1e-5 is greedy as well
 * @param topK 0 for all
 * @param topP 1 for all
 * @param minP 0 for all
 * @param repetitionPenalty 1 for none
 * @param presencePenalty 0 for none
 * @param frequencyPenalty 0 for none
 */
public record SamplingOptions(
        boolean sample,
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty) {
    /** The likeliest token, no penalties. */
    public static final SamplingOptions GREEDY = new SamplingOptions(false, 1, 0, 1, 0, 1, 0, 0);

    public SamplingOptions {
        require(temperature >= 0 && temperature <= 100, "temperature", temperature, Message.of("from 0 to 100"));
        require(topK >= 0, "top-k", topK, Message.of("0 or more"));
        require(topP > 0 && topP <= 1, "top-p", topP, Message.of("above 0, at most 1"));
        require(minP >= 0 && minP <= 1, "min-p", minP, Message.of("from 0 to 1"));
        require(
                repetitionPenalty > 0 && repetitionPenalty <= 100,
                "repetition penalty",
                repetitionPenalty,
                Message.of("above 0, at most 100"));
        require(Math.abs(presencePenalty) <= 100, "presence penalty", presencePenalty, Message.of("from -100 to 100"));
        require(
                Math.abs(frequencyPenalty) <= 100,
                "frequency penalty",
                frequencyPenalty,
                Message.of("from -100 to 100"));
    }

    private static void require(boolean holds, String name, Number value, Message range) {
        if (!holds) {
            throw new InvalidRequestException("%s is %s, must be %s", name, value, range);
        }
    }

    public boolean isGreedy() {
        return !sample || temperature < 1e-5f;
    }
}
