// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.score;

import java.util.List;
import java.util.OptionalDouble;

/**
 * A mean of scores.
 *
 * @param count of scores
 * @param standardError of the mean; empty where one score says nothing of it
 */
public record Mean(int count, double value, OptionalDouble standardError) {

    /** Of at least one score: the sample's standard deviation, over n − 1, by the root of n. */
    public static Mean of(List<Double> scores) {
        int n = scores.size();
        double mean = scores.stream().mapToDouble(s -> s).sum() / n;
        if (n < 2) {
            return new Mean(n, mean, OptionalDouble.empty());
        }
        double squares =
                scores.stream().mapToDouble(s -> (s - mean) * (s - mean)).sum();
        return new Mean(n, mean, OptionalDouble.of(Math.sqrt(squares / (n - 1)) / Math.sqrt(n)));
    }

    /** Of all scores of several samples, with the pooled variance within them, as lm-evaluation-harness has it. */
    public static Mean pooled(List<Mean> parts) {
        int n = parts.stream().mapToInt(Mean::count).sum();
        double mean = parts.stream().mapToDouble(p -> p.value * p.count).sum() / n;
        boolean known = parts.stream().allMatch(p -> p.standardError.isPresent());
        if (!known) {
            return new Mean(n, mean, OptionalDouble.empty());
        }
        double squares = parts.stream()
                .mapToDouble(
                        p -> (p.count - 1) * p.standardError.getAsDouble() * p.standardError.getAsDouble() * p.count)
                .sum();
        return new Mean(n, mean, OptionalDouble.of(Math.sqrt(squares / (n - parts.size()) / n)));
    }

    /** Where each part counts the same, whatever its size, as OpenCompass has it. */
    public static double unweighted(List<Mean> parts) {
        return parts.stream().mapToDouble(Mean::value).average().orElseThrow();
    }
}
