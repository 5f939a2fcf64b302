// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LettersTest {
    @Test
    void theMostCertainPhraseDecidesWhereverItStands() {
        assertEquals("C", Letters.firstOption("A. no, B. no either: 答案是 C"));
        assertEquals("B", Letters.firstOption("D: the answer is (B)"));
    }

    @Test
    void aPhraseWithoutALetterLeavesItToTheNext() {
        assertEquals("D", Letters.firstOption("答案是 none of them, so D"));
    }

    @Test
    void spaceAroundALetterIsNotTheLetter() {
        assertEquals("B", Letters.firstOption("x\u001cA y: B:"), "the phrase with space in front finds no letter");
        assertEquals("", Letters.firstOption("e, f"));
    }

    @Test
    void letterAndVerdictBelongTogetherAfterAWordThatWantsAComma() {
        assertEquals("A", Letters.firstOption("故选A只有B对"));
        assertEquals("C", Letters.firstOption("C 故A 吧"), "故 alone is no phrase");
    }

    @Test
    void firstCapitalIsOfAnyScript() {
        assertEquals("T", Letters.firstCapital("the The"));
        assertEquals("Ω", Letters.firstCapital("答案 Ω B"));
        assertEquals("𝐀", Letters.firstCapital("x𝐀"));
        assertEquals("", Letters.firstCapital("答案 ǅ"), "title case is no capital");
    }
}
