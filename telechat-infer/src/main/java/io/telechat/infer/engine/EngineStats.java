// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

/**
 * What an engine is doing, and has done so far.
 *
 * @param running sequences that are computed
 * @param waiting sequences that wait for that
 * @param blocksUsed blocks of keys and values that running sequences use
 * @param blocks of keys and values at most
 * @param preemptions how often a sequence lost its blocks to another
 * @param promptTokens tokens of the prompts of all sequences that were admitted
 * @param generatedTokens tokens of all answers
 * @param prefixQueries tokens of prompts that were looked for in the prefix cache
 * @param prefixHits how many of them were there
 * @param steps passes through the model
 * @param computedTokens tokens that went through the model, once or again
 * @param draftedTokens tokens that were guessed and computed along with others
 * @param acceptedTokens how many of them were right
 */
public record EngineStats(
        int running,
        int waiting,
        int blocksUsed,
        int blocks,
        long preemptions,
        long promptTokens,
        long generatedTokens,
        long prefixQueries,
        long prefixHits,
        long steps,
        long computedTokens,
        long draftedTokens,
        long acceptedTokens) {
    EngineStats withWaiting(int count) {
        return new EngineStats(
                running,
                count,
                blocksUsed,
                blocks,
                preemptions,
                promptTokens,
                generatedTokens,
                prefixQueries,
                prefixHits,
                steps,
                computedTokens,
                draftedTokens,
                acceptedTokens);
    }
}
