// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.Tensor;
import java.util.Arrays;

/**
 * How far the predictions of a model are from those of another, over a text: what rounding weights has cost.
 *
 * @param tokens predictions that were compared
 * @param perplexity of the original, {@code exp(−mean log p(token))}
 * @param otherPerplexity of the model that is compared with it
 * @param meanKl mean of the Kullback-Leibler divergence of the other's next-token distribution from the original's, in nats
 * @param maxKl the largest
 * @param maxDifference largest difference of two logits, by the largest magnitude of a logit
 * @param sameTop share of the predictions whose most likely token is the same
 */
public record PredictionComparison(
        long tokens,
        double perplexity,
        double otherPerplexity,
        double meanKl,
        double maxKl,
        double maxDifference,
        double sameTop) {
    /** Tokens that are read in one go; their logits are kept in memory for the comparison. */
    private static final int WINDOW = 256;

    /**
     * Reads a text with both models, in windows of 256 tokens that begin with an empty cache.
     *
     * @param text at least two tokens, ids of both models
     * @throws InvalidRequestException if the text is too short
     */
    public static PredictionComparison of(ChatModel original, ChatModel other, int[] text) {
        if (text.length < 2) {
            throw new InvalidRequestException(
                    "the text has %d tokens; at least 2 are needed to compare predictions", text.length);
        }
        Sums sums = new Sums();
        for (int first = 0; first + 1 < text.length; first += WINDOW) {
            int[] window = Arrays.copyOfRange(text, first, Math.min(text.length, first + WINDOW + 1));
            int[] read = Arrays.copyOf(window, window.length - 1);
            float[][] expected = logits(original, read);
            float[][] actual = logits(other, read);
            for (int i = 0; i < read.length; i++) {
                sums.add(expected[i], actual[i], window[i + 1]);
            }
        }
        return sums.result();
    }

    private static float[][] logits(ChatModel model, int[] tokens) {
        float[][] all = new float[tokens.length][];
        try (Context context = model.newContext()) {
            model.observe(tokens, context, new PassObserver() {
                @Override
                public void logits(int firstRow, Tensor rows) {
                    for (int i = 0; i < rows.rows(); i++) {
                        all[firstRow + i] = rows.rows(i, i + 1).toFloats();
                    }
                }
            });
        }
        return all;
    }

    private static final class Sums {
        private long count;
        private long same;
        private double loss;
        private double otherLoss;
        private double kl;
        private double maxKl;
        private double largest;
        private double largestDifference;

        void add(float[] expected, float[] actual, int next) {
            double expectedNorm = logSumExp(expected);
            double actualNorm = logSumExp(actual);
            double divergence = 0;
            int top = 0;
            int otherTop = 0;
            for (int i = 0; i < expected.length; i++) {
                double logP = expected[i] - expectedNorm;
                divergence += Math.exp(logP) * (logP - (actual[i] - actualNorm));
                largest = Math.max(largest, Math.abs(expected[i]));
                largestDifference = Math.max(largestDifference, Math.abs(expected[i] - actual[i]));
                top = expected[i] > expected[top] ? i : top;
                otherTop = actual[i] > actual[otherTop] ? i : otherTop;
            }
            count++;
            same += top == otherTop ? 1 : 0;
            loss -= expected[next] - expectedNorm;
            otherLoss -= actual[next] - actualNorm;
            kl += divergence;
            maxKl = Math.max(maxKl, divergence);
        }

        private static double logSumExp(float[] logits) {
            double max = Double.NEGATIVE_INFINITY;
            for (float logit : logits) {
                max = Math.max(max, logit);
            }
            double sum = 0;
            for (float logit : logits) {
                sum += Math.exp(logit - max);
            }
            return max + Math.log(sum);
        }

        PredictionComparison result() {
            return new PredictionComparison(
                    count,
                    Math.exp(loss / count),
                    Math.exp(otherLoss / count),
                    kl / count,
                    maxKl,
                    largestDifference / Math.max(largest, Double.MIN_NORMAL),
                    (double) same / count);
        }
    }
}
