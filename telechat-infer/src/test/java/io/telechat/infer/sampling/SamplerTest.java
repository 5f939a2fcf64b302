// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final SamplingOptions RANDOM = new SamplingOptions(true, 1, 0, 1, 0, 1, 0, 0);

    @Test
    void drawsWithTheProbabilitiesOfTheLogits() {
        float[] logits = {0, (float) Math.log(3), (float) Math.log(6), Float.NEGATIVE_INFINITY};
        int[] counts = new int[4];
        int draws = 20_000;
        for (int seed = 0; seed < draws; seed++) {
            counts[
                    Sampler.of(RANDOM, new VocabularyMask(4), seed)
                            .sample(logits.clone(), new TokenHistory(new int[0]))]++;
        }
        // Three standard deviations of a binomial count are below 0.011 of the draws.
        assertEquals(0.1, counts[0] / (double) draws, 0.011);
        assertEquals(0.3, counts[1] / (double) draws, 0.011);
        assertEquals(0.6, counts[2] / (double) draws, 0.011);
        assertEquals(0, counts[3]);
    }

    @Test
    void idsBeyondTheTokenizerAreNeverDrawn() {
        float[] logits = {1, 2, 50};
        assertEquals(
                1,
                Sampler.of(SamplingOptions.GREEDY, new VocabularyMask(2), 0)
                        .sample(logits.clone(), new TokenHistory(new int[0])));
        for (int seed = 0; seed < 100; seed++) {
            assertTrue(
                    Sampler.of(RANDOM, new VocabularyMask(2), seed).sample(logits.clone(), new TokenHistory(new int[0]))
                            < 2);
        }
    }

    @Test
    void idsThatTheTokenizerLeavesOutAreNeverDrawn() {
        float[] logits = {1, 50, 2};
        VocabularyMask mask = new VocabularyMask(3, 1);
        assertEquals(2, Sampler.of(SamplingOptions.GREEDY, mask, 0).sample(logits, new TokenHistory(new int[0])));
    }

    @Test
    void logitsThatAreNotNumbersAreAnError() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            Sampler sampler = Sampler.of(RANDOM, new VocabularyMask(3), 0);
            assertThrows(
                    InvalidModelException.class,
                    () -> sampler.sample(new float[] {1, bad, 2}, new TokenHistory(new int[0])));
        }
    }

    @Test
    void atTheLowestTemperatureTheLikeliestIsDrawn() {
        SamplingOptions cold = new SamplingOptions(true, 1e-38f, 0, 1, 0, 1, 0, 0);
        float[] logits = {1, 20, 3};
        assertEquals(1, Sampler.of(cold, new VocabularyMask(3), 0).sample(logits, new TokenHistory(new int[0])));
    }

    @Test
    void presenceAndFrequencyCountTheAnswerOnly() {
        TokenHistory history = new TokenHistory(new int[] {0});
        history.add(1);
        history.add(2);
        history.add(2);
        float[] logits = {5, 5, 5, 5};
        new OccurrencePenalty(1, 0.5f).apply(logits, history);
        assertArrayEquals(new float[] {5, 3.5f, 3, 5}, logits);
    }

    @Test
    void minPKeepsWhatIsProbableEnough() {
        float[] logits = {0, (float) Math.log(0.5), (float) Math.log(0.05)};
        new MinP(0.1f).apply(logits, new TokenHistory(new int[0]));
        assertTrue(logits[1] > -1 && logits[2] == Float.NEGATIVE_INFINITY);
    }

    @Test
    void temperatureZeroIsGreedy() {
        SamplingOptions zero = new SamplingOptions(true, 0, 0, 1, 0, 1, 0, 0);
        assertEquals(
                2,
                Sampler.of(zero, new VocabularyMask(3), 9).sample(new float[] {1, 2, 3}, new TokenHistory(new int[0])));
    }

    @Test
    void optionsOutOfRangeAreRefusedByName() {
        String message = assertThrows(
                        InvalidRequestException.class, () -> new SamplingOptions(true, 1, 0, 1.5f, 0, 1, 0, 0))
                .getMessage();
        assertEquals("top-p is 1.5, must be above 0, at most 1", message);
    }
}
