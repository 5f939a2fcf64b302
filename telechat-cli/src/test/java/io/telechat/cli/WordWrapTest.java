// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordWrapTest {
    private static String wrap(int width, String... pieces) {
        WordWrap wrap = new WordWrap(() -> width);
        StringBuilder shown = new StringBuilder();
        for (String piece : pieces) {
            shown.append(wrap.add(piece));
        }
        return shown.append(wrap.finish()).toString();
    }

    @ParameterizedTest
    @CsvSource({
        "the quick brown fox, 'the quick /brown fox'",
        "antidisestablishmentarianism is long, antidisest/ablishment/arianism /is long",
        "天空是什么颜色呢, 天空是什么/颜色呢",
        "see 天空 there, 'see 天空 /there'",
        "0123456789 x, 0123456789/x",
        "short, short"
    })
    void breaksBetweenWords(String text, String shown) {
        assertEquals(shown.replace('/', '\n'), wrap(10, text));
        assertEquals(shown.replace('/', '\n'), wrap(10, text.split("(?<=.)")), "letter by letter");
    }

    @Test
    void linesOfTheTextStay() {
        assertEquals("a b\n  c\n\nd", wrap(10, "a b\n  c\n\nd"));
    }

    @Test
    void anUnknownWidthBreaksNothing() {
        assertEquals("a b ".repeat(50), wrap(0, "a b ".repeat(50)));
    }
}
