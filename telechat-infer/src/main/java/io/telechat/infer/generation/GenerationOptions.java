// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.generation;

import io.telechat.core.InvalidRequestException;
import io.telechat.infer.grammar.Grammar;
import io.telechat.infer.sampling.SamplingOptions;
import io.telechat.infer.thinking.ThoughtMarks;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How one answer is generated. {@code ChatModel.defaults()} has what the checkpoint's generation_config.json says.
 *
 * @param sampling how tokens are chosen
 * @param seed of the random draw; the same seed gives the same tokens
 * @param maxNewTokens length of thoughts and answer at most; empty for the checkpoint's default
 * @param stopIds tokens that end the answer and are not part of its text
 * @param stopStrings text that ends the answer and is not part of it; in thoughts it ends nothing
 * @param minNewTokens length of thoughts and answer at least: no stop token comes before
 * @param logitBias what is added to the logits of ids before anything else
 * @param grammar that the answer keeps to, not the thoughts
 * @param logprobs how many alternatives to report with each token; -1 for no log-probabilities at all
 * @param thinking how thoughts are told from the answer, and how long they may be
 */
public record GenerationOptions(
        SamplingOptions sampling,
        long seed,
        OptionalInt maxNewTokens,
        Set<Integer> stopIds,
        List<String> stopStrings,
        int minNewTokens,
        Map<Integer, Float> logitBias,
        Optional<Grammar> grammar,
        int logprobs,
        ThinkingOptions thinking) {
    /** No log-probabilities. */
    public static final int NO_LOGPROBS = -1;

    public GenerationOptions {
        stopIds = Set.copyOf(stopIds);
        stopStrings = List.copyOf(stopStrings);
        logitBias = Map.copyOf(logitBias);
        if (maxNewTokens.isPresent() && maxNewTokens.getAsInt() < 1) {
            throw new InvalidRequestException("max new tokens is %d, must be at least 1", maxNewTokens.getAsInt());
        }
        if (stopStrings.stream().anyMatch(String::isEmpty)) {
            throw new InvalidRequestException("a stop string is empty");
        }
        if (logprobs < NO_LOGPROBS || logprobs > 100) {
            throw new InvalidRequestException("logprobs is %d, must be from 0 to 100", logprobs);
        }
    }

    /** Greedy, no penalties, no stops. */
    public static GenerationOptions greedy() {
        return new GenerationOptions(
                SamplingOptions.GREEDY,
                0,
                OptionalInt.empty(),
                Set.of(),
                List.of(),
                0,
                Map.of(),
                Optional.empty(),
                NO_LOGPROBS,
                ThinkingOptions.NONE);
    }

    public GenerationOptions withSampling(SamplingOptions how) {
        return new GenerationOptions(
                how, seed, maxNewTokens, stopIds, stopStrings, minNewTokens, logitBias, grammar, logprobs, thinking);
    }

    public GenerationOptions withSeed(long number) {
        return new GenerationOptions(
                sampling,
                number,
                maxNewTokens,
                stopIds,
                stopStrings,
                minNewTokens,
                logitBias,
                grammar,
                logprobs,
                thinking);
    }

    public GenerationOptions withMaxNewTokens(int tokens) {
        OptionalInt most = OptionalInt.of(tokens);
        return new GenerationOptions(
                sampling, seed, most, stopIds, stopStrings, minNewTokens, logitBias, grammar, logprobs, thinking);
    }

    public GenerationOptions withStops(Set<Integer> ids, List<String> strings) {
        return new GenerationOptions(
                sampling, seed, maxNewTokens, ids, strings, minNewTokens, logitBias, grammar, logprobs, thinking);
    }

    /** Ending with these, besides what ends it already. */
    public GenerationOptions alsoEndingWith(Collection<Integer> ids, Collection<String> strings) {
        Set<Integer> allIds = new HashSet<>(stopIds);
        allIds.addAll(ids);
        List<String> allStrings = new ArrayList<>(stopStrings);
        allStrings.addAll(strings);
        return withStops(allIds, allStrings);
    }

    public GenerationOptions withMinNewTokens(int tokens) {
        return new GenerationOptions(
                sampling, seed, maxNewTokens, stopIds, stopStrings, tokens, logitBias, grammar, logprobs, thinking);
    }

    /** @param biases what is added to the logits of ids of the model */
    public GenerationOptions withLogitBias(Map<Integer, Float> biases) {
        return new GenerationOptions(
                sampling, seed, maxNewTokens, stopIds, stopStrings, minNewTokens, biases, grammar, logprobs, thinking);
    }

    /** @param form that the answer keeps to; it ends where the form does */
    public GenerationOptions withGrammar(Grammar form) {
        Optional<Grammar> kept = Optional.of(form);
        return new GenerationOptions(
                sampling, seed, maxNewTokens, stopIds, stopStrings, minNewTokens, logitBias, kept, logprobs, thinking);
    }

    public GenerationOptions withLogprobs(int alternatives) {
        return new GenerationOptions(
                sampling,
                seed,
                maxNewTokens,
                stopIds,
                stopStrings,
                minNewTokens,
                logitBias,
                grammar,
                alternatives,
                thinking);
    }

    /** @param marks that thoughts stand between */
    public GenerationOptions withThinking(ThoughtMarks marks) {
        return withThinking(new ThinkingOptions(Optional.of(marks), thinking.maxTokens()));
    }

    /**
     * @param tokens of thoughts at most, where the model thinks; then their end is forced, and the answer goes on. 0 for no thoughts
     * @throws InvalidRequestException if it is negative
     */
    public GenerationOptions withMaxThinkingTokens(int tokens) {
        return withThinking(new ThinkingOptions(thinking.marks(), OptionalInt.of(tokens)));
    }

    private GenerationOptions withThinking(ThinkingOptions how) {
        return new GenerationOptions(
                sampling, seed, maxNewTokens, stopIds, stopStrings, minNewTokens, logitBias, grammar, logprobs, how);
    }
}
