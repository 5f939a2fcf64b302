// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.Message;
import java.util.List;

/**
 * A finished answer.
 *
 * @param tokens generated ids, the stop token included
 * @param text the answer, without whatever stopped it
 * @param logprobs one per token, if they were asked for
 * @param finishReason why it ended
 * @param usage counts
 * @param timings how long it took
 */
public record Generation(
        List<Integer> tokens,
        String text,
        List<TokenLogprob> logprobs,
        FinishReason finishReason,
        Usage usage,
        Timings timings) {
    public Generation {
        tokens = List.copyOf(tokens);
        logprobs = List.copyOf(logprobs);
    }

    /**
     * Token counts.
     *
     * @param cachedTokens tokens of the prompt that were computed for an earlier answer
     * @param droppedTurns oldest turns that the prompt left out because the context was full
     */
    public record Usage(int promptTokens, int completionTokens, int cachedTokens, int droppedTurns) {}

    /** Seconds spent on the prompt (up to the first token's logits) and on the tokens after it. */
    public record Timings(double promptSeconds, double generationSeconds) {}

    /** A token that might have been. */
    public record Alternative(int id, double logprob) {}

    /**
     * The natural logarithm of a token's probability under the model itself: before penalties, temperature and cuts.
     *
     * @param alternatives the likeliest ids, best first
     */
    public record TokenLogprob(int id, double logprob, List<Alternative> alternatives) {}

    /** The same, of a prompt that left out turns. */
    Generation withDroppedTurns(int turns) {
        Usage counts = new Usage(usage.promptTokens, usage.completionTokens, usage.cachedTokens, turns);
        return new Generation(tokens, text, logprobs, finishReason, counts, timings);
    }

    /** One line for people, in the language of the default locale. */
    public String summary() {
        return Message.localized(
                "%d prompt tokens (%d cached) in %.2f s, %d tokens at %.1f tokens/s, %s",
                usage.promptTokens(),
                usage.cachedTokens(),
                timings.promptSeconds(),
                usage.completionTokens(),
                tokensPerSecond(),
                finishReason.lowerCase());
    }

    /** Generated tokens per second, the first one (which comes with the prompt) not counted. */
    public double tokensPerSecond() {
        return timings.generationSeconds() > 0 ? (usage.completionTokens() - 1) / timings.generationSeconds() : 0;
    }
}
