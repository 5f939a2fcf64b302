// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import static io.telechat.eval.math.MathGoldens.check;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MathStyleTest {
    private static final Map<MathStyle, String> VERDICTS = Map.of(
            MathStyle.MINERVA, "minerva_equal",
            MathStyle.HENDRYCKS, "hendrycks_equal",
            MathStyle.OPENCOMPASS, "opencompass_v2_equal",
            MathStyle.OPENCOMPASS_AGIEVAL, "opencompass_agieval_equal");

    @Test
    void saysWhatTheHarnessesSay() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (JsonNode row : MathGoldens.rows("extract/equivalence.math.jsonl")) {
            String a = row.get("a").textValue();
            String b = row.get("b").textValue();
            VERDICTS.forEach((style, key) -> {
                if (row.hasNonNull(key)) {
                    check(wrong, style + ": " + a + " ~ " + b, row.get(key).booleanValue(), style.equal(a, b));
                }
            });
        }
        assertEquals(List.of(), wrong);
    }

    /** Verdicts in the order minerva, hendrycks, opencompass, opencompass-agieval; made with the harnesses. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "\\dfrac{3}{7} ~ 3/7 ~ 1111",
                "\\frac37 ~ \\frac{3}{7} ~ 1111",
                "2\\sqrt5 ~ \\sqrt{20} ~ 1000",
                "60\\% ~ 60 ~ 0111",
                "12\\text{ miles} ~ 12 ~ 0111",
                "12\\text{miles} ~ 12 ~ 0010",
                "8 feet ~ 8 ~ 1010",
                "12,000 ~ 12000 ~ 1010",
                "z = 4 ~ 4 ~ 1111",
                "abc=4 ~ 4 ~ 1000",
                "\\left(3, 4\\right) ~ (3,4) ~ 0111",
                "-\\infty ~ -infinity ~ 0010",
                "7j ~ 7i ~ 0010",
                "\\sqrt{} ~ \\sqrt{} ~ 1111",
                "a/b ~ a /b ~ 0001",
            })
    void knowsTheStyles(String a, String b, String verdicts) {
        StringBuilder said = new StringBuilder();
        for (MathStyle style : MathStyle.values()) {
            said.append(style.equal(a, b) ? '1' : '0');
        }
        assertEquals(verdicts, said.toString());
    }

    @Test
    void hasNamesForTheCommandLine() {
        assertEquals("opencompass-agieval", MathStyle.OPENCOMPASS_AGIEVAL.label());
    }
}
