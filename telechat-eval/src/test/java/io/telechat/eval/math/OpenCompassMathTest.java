// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import static io.telechat.eval.math.MathGoldens.check;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenCompassMathTest {
    @Test
    void scoresLikeOpenCompass() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (JsonNode row : MathGoldens.rows("extract/opencompass.math.jsonl")) {
            String response = row.get("response").textValue();
            String answer = OpenCompassMath.extract(response);
            check(wrong, response, row.at("/extracted/none").textValue(), answer);
            check(
                    wrong,
                    response,
                    row.at("/correct/none").booleanValue(),
                    OpenCompassMath.equal(answer, row.get("gold").textValue()));
        }
        assertEquals(List.of(), wrong);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "First \\boxed{3}, then \\boxed{\\frac{4}{5}}. ~ \\frac{4}{5}",
                "\\boxed{{9}} ~ 9",
                "We try. The answer is $x=8$. Good. ~ x=8",
                "It is six hours. The final answer is 12,500 dollars ~ 12500",
                "Just 17 students. Or 18. ~ Just17",
                "\\boxed{} The answer is 4 ~ 4",
            })
    void extracts(String response, String answer) {
        assertEquals(answer, OpenCompassMath.extract(response));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "6.00 ~ 6 ~ true",
                "6.50 ~ 6.5 ~ false",
                "\\mathbf{A} ~ {A} ~ true",
                "x\\in(1,2) ~ (1,2) ~ true",
                "3\\cdot4 ~ 34 ~ true",
                "\\text{(D)} ~ D ~ true",
                "5\\text{ and }6 ~ 5,6 ~ true",
                "1+2 ~ 2+1 ~ false",
            })
    void compares(String a, String b, boolean equal) {
        assertEquals(equal, OpenCompassMath.equal(a, b));
    }
}
