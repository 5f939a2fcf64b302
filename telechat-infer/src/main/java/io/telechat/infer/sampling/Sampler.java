// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import io.telechat.core.InvalidModelException;
import io.telechat.core.tensor.SplitMix;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Chooses the next token: penalties first; then the likeliest id if greedy, otherwise temperature, top-k, top-p, min-p and
 * a draw from what is left (the order of the reference's framework). The random number is a function of the seed and of the
 * token's place in the answer, so the same seed gives the same tokens, whatever else runs beside it.
 */
public final class Sampler {
    private final List<LogitsProcessor> processors;
    private final boolean greedy;
    private final long seed;

    private Sampler(List<LogitsProcessor> processors, boolean greedy, long seed) {
        this.processors = List.copyOf(processors);
        this.greedy = greedy;
        this.seed = seed;
    }

    /**
     * @param vocabulary which ids may be drawn
     * @param seed of the draw
     * @param first rules that come before the others
     */
    public static Sampler of(
            SamplingOptions options, VocabularyMask vocabulary, long seed, List<LogitsProcessor> first) {
        List<LogitsProcessor> chain = new ArrayList<>();
        chain.add(vocabulary);
        chain.addAll(first);
        if (options.repetitionPenalty() != 1) {
            chain.add(new RepetitionPenalty(options.repetitionPenalty()));
        }
        if (options.presencePenalty() != 0 || options.frequencyPenalty() != 0) {
            chain.add(new OccurrencePenalty(options.presencePenalty(), options.frequencyPenalty()));
        }
        if (!options.isGreedy()) {
            chain.add(new Temperature(options.temperature()));
            if (options.topK() > 0) {
                chain.add(new TopK(options.topK()));
            }
            if (options.topP() < 1) {
                chain.add(new TopP(options.topP()));
            }
            if (options.minP() > 0) {
                chain.add(new MinP(options.minP()));
            }
        }
        return new Sampler(chain, options.isGreedy(), seed);
    }

    /** Without any further rules. */
    public static Sampler of(SamplingOptions options, VocabularyMask vocabulary, long seed) {
        return of(options, vocabulary, seed, List.of());
    }

    /**
     * @param logits [vocab], destroyed
     * @throws InvalidModelException if they are not numbers
     */
    public int sample(float[] logits, TokenHistory history) {
        for (float logit : logits) {
            if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
                throw new InvalidModelException("the model computed %s as a logit: its weights are damaged", logit);
            }
        }
        for (LogitsProcessor processor : processors) {
            processor.apply(logits, history);
        }
        return greedy ? argmax(logits) : draw(logits, SplitMix.uniform(seed, history.generated()));
    }

    /** Whether so many of the highest logits may be enough for {@link #sample(Candidates, TokenHistory)}. */
    public boolean mayDoWith(int candidates) {
        for (LogitsProcessor processor : processors) {
            if (processor instanceof TopK topK) {
                return topK.k() <= candidates;
            }
            if (processor instanceof TopP || processor instanceof MinP) {
                return processor instanceof MinP;
            }
        }
        return greedy;
    }

    /**
     * What the whole row would give, if that can be told of its highest logits.
     *
     * @param candidates destroyed
     * @return empty if the whole row is needed
     */
    public OptionalInt sample(Candidates candidates, TokenHistory history) {
        for (LogitsProcessor processor : processors) {
            if (!processor.apply(candidates, history)) {
                return OptionalInt.empty();
            }
        }
        float[] values = candidates.values();
        int best = argmax(values);
        // An equal that is no candidate might have a lower id. A draw has the same sums where all others are out.
        boolean decided = greedy ? candidates.limit() < values[best] : candidates.areAll();
        if (!decided || !Float.isFinite(values[best])) {
            return OptionalInt.empty();
        }
        int index = greedy ? best : draw(values, SplitMix.uniform(seed, history.generated()));
        return OptionalInt.of(candidates.id(index));
    }

    /** The id of the highest logit, the lowest of equals. */
    public static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /** The probabilities of logits. */
    public static double[] softmax(float[] logits) {
        float max = logits[argmax(logits)];
        double[] probabilities = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] = Math.exp(logits[i] - max);
            sum += probabilities[i];
        }
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] /= sum;
        }
        return probabilities;
    }

    private static int draw(float[] logits, double uniform) {
        double[] probabilities = softmax(logits);
        double cumulative = 0;
        int last = 0;
        for (int i = 0; i < probabilities.length; i++) {
            if (probabilities[i] > 0) {
                last = i;
                cumulative += probabilities[i];
                if (uniform < cumulative) {
                    return i;
                }
            }
        }
        return last;
    }
}
