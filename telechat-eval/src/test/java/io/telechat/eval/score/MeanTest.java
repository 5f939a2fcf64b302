// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.score;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class MeanTest {
    /** The root of 0.3 / 5, by hand: the sample 1 0 0 1 0 has the mean 0.4 and the variance 1.2 / 4. */
    @Test
    void theErrorIsThatOfASample() {
        Mean mean = Mean.of(List.of(1.0, 0.0, 0.0, 1.0, 0.0));

        assertEquals(0.4, mean.value(), 1e-15);
        assertEquals(Math.sqrt(0.06), mean.standardError().getAsDouble(), 1e-15);
    }

    @Test
    void oneScoreHasNoError() {
        assertTrue(Mean.of(List.of(1.0)).standardError().isEmpty());
    }

    /** Variances 1/2 of two scores and 1/3 of three: (1/2 + 2/3) / 3 pooled, over 5 scores. */
    @Test
    void partsAreWeightedByTheirSizes() {
        Mean pooled = Mean.pooled(List.of(Mean.of(List.of(1.0, 0.0)), Mean.of(List.of(1.0, 1.0, 0.0))));

        assertEquals(0.6, pooled.value(), 1e-15);
        assertEquals(Math.sqrt((0.5 + 2.0 / 3) / 3 / 5), pooled.standardError().getAsDouble(), 1e-15);
        assertEquals(
                (0.5 + 2.0 / 3) / 2,
                Mean.unweighted(List.of(Mean.of(List.of(1.0, 0.0)), Mean.of(List.of(1.0, 1.0, 0.0)))),
                1e-15);
    }

    @Test
    void aPartWithoutAnErrorLeavesTheWholeWithoutOne() {
        Mean pooled = Mean.pooled(List.of(Mean.of(List.of(1.0)), Mean.of(List.of(1.0, 0.0))));

        assertEquals(2.0 / 3, pooled.value(), 1e-15);
        assertTrue(pooled.standardError().isEmpty());
    }
}
