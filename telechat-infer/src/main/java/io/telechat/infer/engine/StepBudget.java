// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.model.MemoryPlan;
import java.util.Arrays;

/**
 * How many tokens of prompts one step takes: all that fit into a pass while nobody else waits for the next token; otherwise so many
 * that the step takes no more than some times as long as without them, as far as can be told from the steps before. Results do
 * not depend on it.
 */
final class StepBudget {
    /** What a step with prompts may take longer, in units of one without. */
    private static final double LONGER = 1.5;

    /** What it may take longer in any case, and at most. */
    private static final double LEAST_SECONDS = 0.025;

    private static final double MOST_SECONDS = 0.1;

    /** Fewer are not worth reading the weights for. */
    private static final int LEAST_ROWS = 4;

    private static final int FIRST_GUESS = 32;

    /** Weight of the latest step among all. */
    private static final double NEWEST = 0.3;

    /** By how many sequences decode, of steps without prompts; NaN where there was none. */
    private double[] decodeSeconds = {0};

    private double secondsPerRow;

    /** @param decoding sequences that wait for their next token */
    int rows(int decoding) {
        if (decoding == 0) {
            return MemoryPlan.MAX_ROWS;
        }
        if (secondsPerRow == 0) {
            return FIRST_GUESS;
        }
        double seconds = Math.clamp(LONGER * decodeSeconds(decoding), LEAST_SECONDS, MOST_SECONDS);
        int rows = (int) Math.min(seconds / secondsPerRow, MemoryPlan.MAX_ROWS - decoding);
        return Math.max(LEAST_ROWS, rows);
    }

    /** A step was made. */
    void measured(int decoding, int promptRows, double seconds) {
        if (promptRows == 0) {
            int known = decodeSeconds.length;
            if (decoding >= known) {
                decodeSeconds = Arrays.copyOf(decodeSeconds, decoding + 1);
                Arrays.fill(decodeSeconds, known, decoding + 1, Double.NaN);
            }
            decodeSeconds[decoding] = average(decodeSeconds[decoding], seconds);
        } else {
            double rest = Math.min(decodeSeconds(decoding), seconds);
            secondsPerRow = average(secondsPerRow, (seconds - rest) / promptRows);
        }
    }

    /** What a step without prompts takes, from the nearest number of sequences below that is known: none at all takes no time. */
    private double decodeSeconds(int decoding) {
        int known = Math.min(decoding, decodeSeconds.length - 1);
        while (Double.isNaN(decodeSeconds[known])) {
            known--;
        }
        return decodeSeconds[known] + (decoding - known) * secondsPerRow;
    }

    private static double average(double before, double now) {
        return Double.isNaN(before) || before == 0 ? now : (1 - NEWEST) * before + NEWEST * now;
    }
}
