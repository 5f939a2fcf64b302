// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.text.Normalizer;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Normal forms: of marks against the JDK, and in little time where the JDK takes long. */
class NormalizationTest {
    /** Marks of many classes, of class 0 (U+034F, U+0903), ones that decompose (U+0344, U+0F73, U+0341), outside of the BMP, letters. */
    private static final int[] CHARACTERS = {
        'a', 'o', 0x301, 0x301, 0x316, 0x334, 0x345, 0x327, 0x31b, 0x5b0, 0x64b, 0x344, 0xf73, 0xf71, 0xf72, 0x341,
        0x34f, 0x903, 0x93c, 0x94d, 0x3099, 0x302a, 0x1d165, 0x1d16e, 0x20dd, 0x304b, 0xe4, 0x1100, 0x1161
    };

    @ParameterizedTest
    @EnumSource
    void orderedMarksNormalizeAsTheOthers(Normalizer.Form form) {
        SplittableRandom random = new SplittableRandom(9);
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int j = random.nextInt(20); j >= 0; j--) {
                text.appendCodePoint(CHARACTERS[random.nextInt(CHARACTERS.length)]);
            }
            assertEquals(
                    Normalizer.normalize(text, form),
                    Normalizer.normalize(CombiningMarks.orderLongRuns(text.toString(), 1), form));
        }
    }

    @Test
    void manyMarksTakeLittleTime() {
        for (String unit : List.of("\u0301\u0316", "\u0345\u0301\u0316\u0334", "\u0344\u0316", "\u0f73\u0f74")) {
            String text = "a" + unit.repeat(500_000 / unit.length());
            for (Normalizer.Form form : Normalizer.Form.values()) {
                assertTimeoutPreemptively(
                        Duration.ofSeconds(10), () -> Normalization.of(form).apply(text));
            }
        }
    }

    /** As Rust's {@code char::to_lowercase}, character by character. */
    @Test
    void lowerCaseKnowsNoContext() {
        assertEquals("σσ ßi\u0307 ǆ", Normalization.lowerCase("ΣΣ ßİ ǅ"));
    }

    @Test
    void blanksAreUnicodes() {
        assertEquals("a\u001c", Normalization.strip("\u0085\u3000a\u001c\u2028", true, true));
        assertEquals(" a", Normalization.strip(" a ", false, true));
    }
}
