// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class Gsm8kAnswerTest {
    @Test
    void theLastNumberBeforeANextQuestionCounts() {
        assertEquals("-2.50", Gsm8kAnswer.number("3 or -2.50. Question: 4?"));
        assertEquals("234", Gsm8kAnswer.number("1,234"));
        assertEquals("NULL", Gsm8kAnswer.number("none. Question: 4?"));
    }

    @Test
    void numbersAreNearlyTheSame() {
        assertTrue(Gsm8kAnswer.same("18.0000001", "18"));
        assertTrue(Gsm8kAnswer.same("４２", "42"));
        assertFalse(Gsm8kAnswer.same("18.1", "18"));
    }

    @Test
    void aRightAnswerWithAFractionMustBeTheSameText() {
        assertTrue(Gsm8kAnswer.same("1.5", "1.5"));
        assertFalse(Gsm8kAnswer.same("1.50", "1.5"));
    }

    @Test
    void numbersBeyondAllBoundsAreNotTheSame() {
        String huge = "9".repeat(400);
        assertFalse(Gsm8kAnswer.same(huge + ".0", huge));
        assertTrue(Gsm8kAnswer.same(huge, huge));
    }
}
