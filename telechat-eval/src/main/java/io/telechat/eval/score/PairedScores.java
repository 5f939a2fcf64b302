// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.score;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** Scores of two runs on the same documents. */
public final class PairedScores {
    private final List<Double> first = new ArrayList<>();
    private final List<Double> second = new ArrayList<>();

    public void add(double ofFirst, double ofSecond) {
        first.add(ofFirst);
        second.add(ofSecond);
    }

    public void addAll(PairedScores other) {
        first.addAll(other.first);
        second.addAll(other.second);
    }

    /** How many documents. */
    public int size() {
        return first.size();
    }

    public double firstMean() {
        return Mean.of(first).value();
    }

    public double secondMean() {
        return Mean.of(second).value();
    }

    /** The mean of second minus first over the documents, with the standard error of this mean of differences. */
    public Mean difference() {
        List<Double> differences = new ArrayList<>();
        for (int i = 0; i < first.size(); i++) {
            differences.add(second.get(i) - first.get(i));
        }
        return Mean.of(differences);
    }

    /** How many documents the second run scores higher. */
    public int gained() {
        return changed(1);
    }

    /** How many documents the second run scores lower. */
    public int lost() {
        return changed(-1);
    }

    private int changed(int sign) {
        int count = 0;
        for (int i = 0; i < first.size(); i++) {
            count += Math.signum(second.get(i) - first.get(i)) == sign ? 1 : 0;
        }
        return count;
    }

    /** The exact test of McNemar; empty if a score is neither 0 nor 1. */
    public OptionalDouble mcNemar() {
        boolean binary = Stream.concat(first.stream(), second.stream()).allMatch(v -> v == 0 || v == 1);
        return binary ? OptionalDouble.of(Significance.ofMcNemar(gained(), lost())) : OptionalDouble.empty();
    }

    /** The z-test of the paired differences; empty where their spread is not known or 0, unless all of them are 0. */
    public OptionalDouble pairedZ() {
        if (gained() + lost() == 0) {
            return OptionalDouble.of(1);
        }
        Mean difference = difference();
        double error = difference.standardError().orElse(0);
        return error > 0
                ? OptionalDouble.of(Significance.ofNormal(difference.value() / error))
                : OptionalDouble.empty();
    }
}
