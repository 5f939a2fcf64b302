// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
    }

    @Test
    void aDotIsAnythingButALineFeed() {
        assertTrue(PythonText.regex("a.b").matcher("a\u2028b").matches());
        assertTrue(PythonText.regex("a.b").matcher("a\rb").matches());
        assertFalse(PythonText.regex("a.b").matcher("a\nb").matches());
    }

    @Test
    void classesKnowUnicode() {
        assertTrue(PythonText.regex("\\w\\d\\s[\\s]").matcher("é٣\u3000\u001d").matches());
        assertFalse(PythonText.regex("\\S").matcher("\u001c").matches());
    }
}
