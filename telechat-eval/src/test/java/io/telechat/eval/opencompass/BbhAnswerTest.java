// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class BbhAnswerTest {
    @Test
    void aChoiceStandsBetweenTheFirstAnnouncementAndTheNext() {
        assertEquals("A", BbhAnswer.choice("So the answer is (A). The answer is (B)."));
        assertEquals("so", BbhAnswer.choice("Well, the answer is  so answer is (B)"), "nothing there is a letter");
        assertEquals("B", BbhAnswer.choice("A man (B) C"), "brackets go before capitals");
    }

    @Test
    void aFreeAnswerStandsBehindTheLastAnnouncementOnOneLine() {
        assertEquals("8", BbhAnswer.free("The answer is 7. No, THE ANSWER IS:\n8.\nQ: next"));
        assertEquals("", BbhAnswer.free("\n8"), "without an announcement, it is the first line");
    }

    @Test
    void whatEmphasisesExplainsOrSeparatesGoes() {
        assertEquals("b c", BbhAnswer.free("a **b ,c** d"));
        assertEquals("Yes", BbhAnswer.free("the answer is YES, since it is"));
        assertEquals("Yesterday", BbhAnswer.free("Yesterday"));
        assertEquals("1, 2", BbhAnswer.free("1, 2"), "commas between numbers stay");
    }

    @Test
    void caseDoesNotCount() {
        assertTrue(BbhAnswer.sameText("Straße", "STRASSE"));
        assertTrue(BbhAnswer.sameText("STRAẞE ΣΑΣ", "strasse σας"));
        assertFalse(BbhAnswer.sameText("ı", "I"), "i without a dot is a letter of its own");
        assertFalse(BbhAnswer.sameText("a b", "ab"));
    }
}
