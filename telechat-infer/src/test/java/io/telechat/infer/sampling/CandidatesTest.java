// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is drawn from the highest logits is what is drawn from the whole row; or nothing is. */
class CandidatesTest {
    private static final int VOCAB = 400;
    private static final float NONE = Float.NEGATIVE_INFINITY;

    /** The highest of a row; of equals, the lowest ids. */
    private static Candidates top(float[] row, int most) {
        int[] order = IntStream.range(0, row.length)
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> -(row[i] + 0f)))
                .mapToInt(i -> i)
                .toArray();
        int count = Math.min(most, row.length);
        int[] ids = IntStream.of(order).limit(count).sorted().toArray();
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = row[ids[i]];
        }
        return new Candidates(row.length, ids, values, count < row.length ? row[order[count]] : NONE);
    }

    private static <T> T any(Random random, List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    /** Spread wide or not, in steps so that there are equals, some masked. */
    private static float[] row(Random random) {
        double spread = any(random, List.of(0.01, 1.0, 5.0));
        double step = any(random, List.of(0.0, 0.0, 0.25, 2.0));
        double masked = any(random, List.of(0.0, 0.0, 0.3, 0.97));
        float[] row = new float[VOCAB];
        for (int i = 0; i < VOCAB; i++) {
            double logit = spread * random.nextGaussian();
            row[i] = (float) (step > 0 ? step * Math.rint(logit / step) : logit);
            row[i] = random.nextDouble() < masked ? NONE : row[i];
        }
        return row;
    }

    private static SamplingOptions options(Random random) {
        return new SamplingOptions(
                random.nextInt(4) > 0,
                any(random, List.of(1f, 0.3f, 1.7f)),
                any(random, List.of(0, 1, 5, 50, 99, 100, 500)),
                any(random, List.of(1f, 0.85f, 0.05f, 0.999f)),
                any(random, List.of(0f, 0f, 0.1f, 0.9f, 1e-6f)),
                any(random, List.of(1f, 1.03f, 2f, 0.5f)),
                any(random, List.of(0f, 0f, 1.5f, -2f)),
                any(random, List.of(0f, 0f, 0.3f, -0.2f)));
    }

    private static List<LogitsProcessor> others(Random random) {
        List<LogitsProcessor> others = new ArrayList<>();
        if (random.nextInt(3) == 0) {
            Map<Integer, Float> biases = new HashMap<>();
            for (int i = random.nextInt(5); i >= 0; i--) {
                biases.put(random.nextInt(VOCAB), any(random, List.of(-3f, 2f, 40f, NONE)));
            }
            others.add(new LogitBias(biases));
        }
        if (random.nextInt(3) == 0) {
            others.add(new MinTokens(random.nextInt(8), Set.of(random.nextInt(VOCAB))));
        }
        return others;
    }

    private static TokenHistory history(Random random) {
        TokenHistory history =
                new TokenHistory(random.ints(random.nextInt(60), 0, VOCAB).toArray());
        random.ints(random.nextInt(12), 0, VOCAB).forEach(history::add);
        return history;
    }

    @Test
    void whatIsDrawnIsTheSameForAnyOptions() {
        int decided = 0;
        for (int seed = 0; seed < 30_000; seed++) {
            Random random = new Random(seed);
            float[] row = row(random);
            VocabularyMask mask = new VocabularyMask(VOCAB - random.nextInt(50), 7, 8, 90);
            Sampler sampler = Sampler.of(options(random), mask, seed, others(random));
            TokenHistory history = history(random);
            OptionalInt drawn = sampler.sample(top(row, any(random, List.of(1, 30, 100, VOCAB))), history);
            if (drawn.isPresent()) {
                decided++;
                assertEquals(sampler.sample(row.clone(), history), drawn.getAsInt(), "seed " + seed);
            }
        }
        assertTrue(decided > 10_000, decided + " of 30,000 were decided");
    }

    /** The generation_config.json of TeleChat, and the defaults of Transformers: what is there in general needs no whole row. */
    @Test
    void theHighestAreEnoughForTheUsualOptions() {
        List<SamplingOptions> usual = List.of(
                SamplingOptions.GREEDY,
                new SamplingOptions(false, 1, 0, 1, 0, 1.03f, 0, 0),
                new SamplingOptions(true, 0.3f, 5, 0.85f, 0, 1.03f, 0, 0),
                new SamplingOptions(true, 0.6f, 50, 0.95f, 0, 1.01f, 0.5f, 0.5f),
                new SamplingOptions(true, 1, 50, 1, 0, 1, 0, 0),
                new SamplingOptions(true, 1, 0, 1, 0.3f, 1, 0, 0));
        for (SamplingOptions options : usual) {
            for (int seed = 0; seed < 100; seed++) {
                Random random = new Random(seed);
                float[] row = new float[VOCAB];
                for (int i = 0; i < VOCAB; i++) {
                    row[i] = 12 * random.nextFloat() - 6;
                }
                TokenHistory history = history(random);
                Sampler sampler = Sampler.of(options, new VocabularyMask(VOCAB - 3), seed);
                assertTrue(sampler.mayDoWith(150));
                int drawn = sampler.sample(top(row, 150), history).orElseThrow();
                assertEquals(sampler.sample(row, history), drawn);
            }
        }
    }

    @Test
    void whatNeedsTheSumOfAllNeedsTheRow() {
        assertFalse(Sampler.of(new SamplingOptions(true, 1, 0, 0.9f, 0.1f, 1, 0, 0), new VocabularyMask(9), 1)
                .mayDoWith(1024));
        assertFalse(Sampler.of(new SamplingOptions(true, 1, 0, 1, 0, 1, 0, 0), new VocabularyMask(9), 1)
                .mayDoWith(1024));
        assertFalse(Sampler.of(new SamplingOptions(true, 1, 2000, 1, 0, 1, 0, 0), new VocabularyMask(9), 1)
                .mayDoWith(1024));
    }

    @Test
    void anEqualOfTheHighestThatIsNoCandidateMayBeTheOne() {
        float[] row = {1, 1, 1, 0};
        Sampler sampler = Sampler.of(SamplingOptions.GREEDY, new VocabularyMask(4, 0), 0);
        assertEquals(OptionalInt.empty(), sampler.sample(top(row, 2), new TokenHistory(new int[0])));
        assertEquals(OptionalInt.of(1), sampler.sample(top(row, 3), new TokenHistory(new int[0])));
    }

    @Test
    void aBiasMayRaiseAnotherAboveThem() {
        float[] row = {9, 8, 1, 0};
        TokenHistory history = new TokenHistory(new int[0]);
        for (float bias : new float[] {0.5f, 8, Float.POSITIVE_INFINITY, Float.NaN}) {
            Sampler sampler = Sampler.of(
                    SamplingOptions.GREEDY, new VocabularyMask(4), 0, List.of(new LogitBias(Map.of(3, bias))));
            OptionalInt drawn = sampler.sample(top(row, 2), history);
            assertEquals(bias < 1 ? OptionalInt.of(0) : OptionalInt.empty(), drawn, "bias " + bias);
        }
    }

    @Test
    void anIdThatTheModelDoesNotHaveIsAnErrorAsInTheRow() {
        float[] row = {9, 8, 1, 0};
        LogitBias bias = new LogitBias(Map.of(4, 1f));
        TokenHistory history = new TokenHistory(new int[0]);
        assertThrows(IndexOutOfBoundsException.class, () -> bias.apply(top(row, 2), history));
        assertThrows(IndexOutOfBoundsException.class, () -> bias.apply(row, history));
    }
}
