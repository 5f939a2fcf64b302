// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PythonTextTest {
    @Test
    void stripTakesAllThatIsSpaceOfUnicodeAndTheSeparatorsOfAscii() {
        assertEquals("a b", PythonText.strip("\u3000\u001c\u0085 a b\u2028\u00a0"));
        assertEquals("\u200b", PythonText.strip(" \u200b "), "zero width space is none");
    }

    @Test
    void capitalizeLowersTheRest() {
        assertEquals("A man called bob", PythonText.capitalize("a MAN called Bob"));
        assertEquals("", PythonText.capitalize(""));
        assertEquals("\u0391\u03c2", PythonText.capitalize("\u0391\u03a3"), "a sigma at the end of a word");
    }

    @Test
    void aDotIsAnythingButALineFeed() {
        assertTrue(PythonText.regex("a.b").matcher("a\u2028b").matches());
        assertTrue(PythonText.regex("a.b").matcher("a\rb").matches());
        assertFalse(PythonText.regex("a.b").matcher("a\nb").matches());
    }

    @Test
    void allMatchesAreFoundWithTheirGroups() {
        assertEquals(
                List.of(List.of("a", ""), List.of("", "b")), PythonText.findAll(PythonText.regex("(a)|(b)"), "a b"));
        assertEquals(List.of(List.of("ab"), List.of("")), PythonText.findAll(PythonText.regex("ab|"), "ab"));
    }

    @Test
    void splitTakesSpacesOfAllKindsTogether() {
        assertEquals(List.of("a", "b"), PythonText.split("\u3000a\u001c \nb "));
        assertEquals(List.of(), PythonText.split(" "));
    }

    @Test
    void wordsHaveLettersAndNumbersButNoMarks() {
        assertTrue(PythonText.regex("\\bx[\\w]\\b").matcher("x\u00b2").matches());
        assertTrue(PythonText.regex("e\\b\\W").matcher("e\u0301").matches());
    }

    @Test
    void classesKnowUnicode() {
        assertTrue(PythonText.regex("\\w\\d\\s[\\s]").matcher("é٣\u3000\u001d").matches());
        assertFalse(PythonText.regex("\\S").matcher("\u001c").matches());
    }
}
