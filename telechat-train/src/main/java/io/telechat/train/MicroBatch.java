// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.ops.Batch;
import io.telechat.core.training.TrainingPass;
import io.telechat.train.data.TrainingData;
import java.util.ArrayList;
import java.util.List;

/**
 * Samples that are computed at once.
 *
 * @param batch their tokens, one sample behind the other
 * @param targets the token that follows each
 * @param counts 1 where a row's loss counts, 0 where not
 * @param counted how many do
 */
public record MicroBatch(Batch batch, int[] targets, byte[] counts, long counted) {
    static MicroBatch of(List<TrainingData.Sample> samples, TrainConfig.Objective objective, RopeTables ropes) {
        int rowTokens = samples.getFirst().ids().length;
        int[] tokens = new int[samples.size() * rowTokens];
        int[] targets = new int[tokens.length];
        byte[] counts = new byte[tokens.length];
        List<Integer> lengths = new ArrayList<>();
        long counted = 0;
        for (int s = 0; s < samples.size(); s++) {
            TrainingData.Sample sample = samples.get(s);
            System.arraycopy(sample.ids(), 0, tokens, s * rowTokens, rowTokens);
            int begin = 0;
            for (int i = 0; i < rowTokens; i++) {
                boolean last = i + 1 == rowTokens;
                boolean ends = last || objective.isolated() && sample.sequences()[i + 1] != sample.sequences()[i];
                if (ends) {
                    lengths.add(i + 1 - begin);
                    begin = i + 1;
                } else {
                    targets[s * rowTokens + i] = sample.ids()[i + 1];
                    int count = count(sample, objective, i);
                    counts[s * rowTokens + i] = (byte) count;
                    counted += count;
                }
            }
        }
        return new MicroBatch(batch(tokens, lengths, ropes), targets, counts, counted);
    }

    /** 1 where the token behind place {@code i} counts, 0 where not. */
    private static int count(TrainingData.Sample sample, TrainConfig.Objective objective, int i) {
        boolean padding = objective.isolated() && sample.sequences()[i] == 0;
        return objective.masked() ? sample.mask()[i + 1] : padding ? 0 : 1;
    }

    /** How many tokens of a sample count, without making a batch of it. */
    static long counted(TrainingData.Sample sample, TrainConfig.Objective objective) {
        long counted = 0;
        for (int i = 0; i + 1 < sample.ids().length; i++) {
            boolean ends = objective.isolated() && sample.sequences()[i + 1] != sample.sequences()[i];
            counted += ends ? 0 : count(sample, objective, i);
        }
        return counted;
    }

    private static Batch batch(int[] tokens, List<Integer> lengths, RopeTables ropes) {
        return Batch.uncached(
                tokens,
                lengths.stream().mapToInt(i -> i).toArray(),
                lengths.stream().map(ropes::of).toList());
    }

    /** Every counted row weighs what its sample's rows do. */
    TrainingPass.Objective objective(double... ofSamples) {
        float[] weights = new float[counts.length];
        int rowTokens = counts.length / ofSamples.length;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = counts[i] == 0 ? 0 : (float) ofSamples[i / rowTokens];
        }
        return new TrainingPass.Objective(targets, weights);
    }
}
