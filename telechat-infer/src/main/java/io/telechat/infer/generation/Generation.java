// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.generation;

import io.telechat.core.Message;
import java.util.List;

/**
 * A finished answer.
 *
 * @param tokens generated ids, the stop token included
 * @param text the answer, without whatever stopped it; where a model thinks first, without thoughts, and blanks at its ends
 * @param thinking the thoughts in front of the answer; empty if there are none
 * @param logprobs one per token, if they were asked for
 * @param promptLogprobs one per token of the prompt but the first, if they were asked for
 * @param finishReason why it ended
 * @param usage counts
 * @param timings how long it took
 */
public record Generation(
        List<Integer> tokens,
        String text,
        String thinking,
        List<TokenLogprob> logprobs,
        List<TokenLogprob> promptLogprobs,
        FinishReason finishReason,
        Usage usage,
        Timings timings) {
    public Generation {
        tokens = List.copyOf(tokens);
        logprobs = List.copyOf(logprobs);
        promptLogprobs = List.copyOf(promptLogprobs);
    }

    /**
     * Token counts.
     *
     * @param cachedTokens tokens of the prompt that were computed for an earlier answer
     * @param droppedTurns oldest turns that the prompt left out because the context was full
     * @param draftedTokens tokens that were guessed and computed along with others
     * @param acceptedTokens how many of them were right
     * @param thinkingTokens how many of the completion's tokens are thoughts, without what is forced behind them; a mark counts only
     *     where it is not one piece of the vocabulary
     */
    public record Usage(
            int promptTokens,
            int completionTokens,
            int cachedTokens,
            int droppedTurns,
            int draftedTokens,
            int acceptedTokens,
            int thinkingTokens) {}

    /** Seconds spent waiting for others, on the prompt (up to the first token), and on the tokens after it. */
    public record Timings(double queueSeconds, double promptSeconds, double generationSeconds) {}

    /** A token that might have been. */
    public record Alternative(int id, double logprob) {}

    /**
     * The natural logarithm of a token's probability under the model itself: before penalties, temperature and cuts.
     *
     * @param alternatives the likeliest ids, best first
     */
    public record TokenLogprob(int id, double logprob, List<Alternative> alternatives) {}

    /** The same, of a prompt that left out turns. */
    public Generation withDroppedTurns(int turns) {
        Usage counts = new Usage(
                usage.promptTokens,
                usage.completionTokens,
                usage.cachedTokens,
                turns,
                usage.draftedTokens,
                usage.acceptedTokens,
                usage.thinkingTokens);
        return new Generation(tokens, text, thinking, logprobs, promptLogprobs, finishReason, counts, timings);
    }

    /** Its first tokens, as if it had ended with them. */
    public Generation cutTo(int count, String itsText, String itsThinking, FinishReason reason) {
        Usage counts = new Usage(
                usage.promptTokens,
                count,
                usage.cachedTokens,
                usage.droppedTurns,
                usage.draftedTokens,
                usage.acceptedTokens,
                Math.min(count, usage.thinkingTokens));
        return new Generation(
                tokens.subList(0, count),
                itsText,
                itsThinking,
                logprobs.subList(0, Math.min(count, logprobs.size())),
                promptLogprobs,
                reason,
                counts,
                timings);
    }

    /** Whether it has thoughts, and ended before there was an answer. */
    public boolean hasOnlyThoughts() {
        return !thinking.isEmpty() && text.isEmpty();
    }

    /** One line for people, in the language of the default locale. */
    public String summary() {
        String line = Message.localized(
                "%d prompt tokens (%d cached) in %.2f s, %d tokens at %.1f tokens/s, %s",
                usage.promptTokens(),
                usage.cachedTokens(),
                timings.promptSeconds(),
                usage.completionTokens(),
                tokensPerSecond(),
                finishReason.lowerCase());
        return usage.thinkingTokens() == 0
                ? line
                : Message.localized("%s; %d of the tokens are thoughts", line, usage.thinkingTokens());
    }

    /** Generated tokens per second, the first one (which comes with the prompt) not counted. */
    public double tokensPerSecond() {
        return timings.generationSeconds() > 0 ? (usage.completionTokens() - 1) / timings.generationSeconds() : 0;
    }
}
