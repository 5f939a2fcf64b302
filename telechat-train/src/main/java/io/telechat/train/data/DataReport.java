// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;

/**
 * What became of the input.
 *
 * @param samples rows written
 * @param tokens in them, padding left out
 * @param trainedTokens of these, how many are predicted
 * @param fillRate tokens by places
 * @param referenceFillRate what the reference's packing would have reached with the same dialogs (a sample of them),
 *     stages weighted by their samples
 * @param rounds how often the sources were gone through; 2 and more repeat data
 * @param sources what each contributed
 */
public record DataReport(
        @JsonProperty("samples") long samples,
        @JsonProperty("tokens") long tokens,
        @JsonProperty("trained_tokens") long trainedTokens,
        @JsonProperty("fill_rate") double fillRate,
        @JsonProperty("reference_fill_rate") double referenceFillRate,
        @JsonProperty("rounds") int rounds,
        @JsonProperty("sources") List<Source> sources) {
    /**
     * @param stage of the curriculum, from 1; 1 where there is none
     * @param lines read, blank ones left out
     * @param dialogs in the samples, repetitions counted
     * @param tooLong dialogs, or turns of split ones, that were left out
     * @param dropped unusable lines by reason
     */
    public record Source(
            @JsonProperty("stage") int stage,
            @JsonProperty("name") String name,
            @JsonProperty("weight") double weight,
            @JsonProperty("lines") long lines,
            @JsonProperty("dialogs") long dialogs,
            @JsonProperty("tokens") long tokens,
            @JsonProperty("trained_tokens") long trainedTokens,
            @JsonProperty("too_long") long tooLong,
            @JsonProperty("dropped") Map<String, Long> dropped) {}
}
