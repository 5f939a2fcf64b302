// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.model.MemoryPlan;
import org.junit.jupiter.api.Test;

class StepBudgetTest {
    /** A machine that needs this for each sequence that decodes and each row of a prompt. */
    private static final double ROW = 0.002;

    private static final double WEIGHTS = 0.03;

    private static double seconds(int decoding, int promptRows) {
        return WEIGHTS + ROW * (decoding + promptRows);
    }

    @Test
    void promptsHaveWholePassesWhileNobodyElseWaits() {
        assertEquals(MemoryPlan.MAX_ROWS, new StepBudget().rows(0));
    }

    @Test
    void stepsTakeNoMoreThanSomeTimesAsLongAsWithoutPrompts() {
        StepBudget budget = new StepBudget();
        budget.measured(1, 0, seconds(1, 0));
        for (int i = 0; i < 20; i++) {
            int rows = budget.rows(1);
            budget.measured(1, rows, seconds(1, rows));
        }
        double longer = seconds(1, budget.rows(1)) / seconds(1, 0);
        assertTrue(longer > 2 && longer < 2.6, () -> "a step took " + longer + " times as long");
    }

    /** Prompts that come in all at once are not read ever slower as more of them have begun to answer. */
    @Test
    void whoJoinsWithoutAPauseDoesNotCountAsPrompt() {
        StepBudget budget = new StepBudget();
        budget.measured(1, 0, seconds(1, 0));
        budget.measured(1, 16, seconds(1, 16));
        int first = budget.rows(1);
        for (int decoding = 1; decoding <= 15; decoding++) {
            int rows = budget.rows(decoding);
            budget.measured(decoding, rows, seconds(decoding, rows));
        }
        assertTrue(budget.rows(15) >= first, () -> first + " rows, then " + budget.rows(15));
    }
}
