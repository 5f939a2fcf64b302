// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StopStringsTest {
    @Test
    void noPartOfAStopStringLeaksHoweverTheTextArrives() {
        SplittableRandom random = new SplittableRandom(2);
        List<String> stops = List.of("aab", "ba", "<_end>");
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(12); i > 0; i--) {
                text.append("ab<_end> ".charAt(random.nextInt(9)));
            }
            text.append(random.nextBoolean() ? "<_end>x" : "");
            int expectedEnd = stops.stream()
                    .mapToInt(text::indexOf)
                    .filter(at -> at >= 0)
                    .min()
                    .orElse(text.length());
            StopStrings filter = new StopStrings(stops);
            StringBuilder out = new StringBuilder();
            for (int i = 0; i < text.length() && !filter.hasMatched(); ) {
                int length = Math.min(1 + random.nextInt(3), text.length() - i);
                out.append(filter.add(text.substring(i, i + length)));
                i += length;
            }
            out.append(filter.finish());
            assertEquals(text.substring(0, expectedEnd), out.toString(), () -> "text '" + text + "'");
        }
    }

    @Test
    void textThatCannotBeAStopStringIsNotHeldBack() {
        StopStrings filter = new StopStrings(List.of("<_end>"));
        assertEquals("abc", filter.add("abc"));
        assertEquals("", filter.add("<_e"));
        assertEquals("<_ex", filter.add("x"));
    }
}
