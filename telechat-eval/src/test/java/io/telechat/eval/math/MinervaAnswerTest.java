// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import static io.telechat.eval.math.MathGoldens.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MinervaAnswerTest {
    @Test
    void scoresLikeTheHarness() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (JsonNode row : MathGoldens.rows("extract/lm-eval.math.jsonl")) {
            String response = row.get("response").textValue();
            String answer = MinervaAnswer.normalize(MinervaAnswer.extract(response));
            String gold = MinervaAnswer.goldOf(row.get("solution").textValue()).orElseThrow();
            check(wrong, response, row.at("/extracted/none").textValue(), answer);
            check(wrong, response, row.get("gold").textValue(), gold);
            check(wrong, response, row.at("/correct/none").booleanValue(), MinervaAnswer.equal(answer, gold));
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void scoresWholeResponsesLikeTheHarness() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (JsonNode row : MathGoldens.rows("goldens/math_4shot_responses/samples_math.jsonl")) {
            String response = row.get("response").textValue();
            String answer = MinervaAnswer.normalize(MinervaAnswer.extract(response));
            check(wrong, response, row.at("/extracted/none").textValue(), answer);
            check(
                    wrong,
                    response,
                    row.at("/metrics/exact_match,none").intValue(),
                    MinervaAnswer.equal(answer, row.get("gold").textValue()) ? 1 : 0);
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void takesTheFirstAnswerInTheWordsOfTheShots() {
        String response = "So.\nFinal Answer: The final answer is $7$. I hope it is correct.\nFinal Answer: The final "
                + "answer is $8$. I hope it is correct.";
        assertEquals("$7$", MinervaAnswer.extract(response));
    }

    @Test
    void needsTheClosingWords() {
        assertEquals(MinervaAnswer.INVALID, MinervaAnswer.extract("Final Answer: The final answer is $7$"));
        assertEquals("$7$", MinervaAnswer.extract("Final Answer: The final answer is $7$. "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "x = 5 ~ 5",
                "two = $6$ or $7$ ~ 6",
                "9\\pi cm^2 ~ 9\\pi^2",
                "\\left(1,2\\right) ~ \\left(1,2\\right)",
                "14\\text{ square units} ~ 14",
                "3\\text{ and }4 ~ 3,4",
                "\\frac38x ~ \\frac{3}{8}x",
                "\\frac3{8} ~ \\frac{3}{{}8}",
                "\\sqrt[5]x+\\sqrt y ~ \\sqrt[5]{x}+\\sqrt{y}",
                "\\text{Thursday} ~ Thursday",
                "\\$12{,}345.50 ~ 12345.50",
                "1,234 ~ 1234",
                "12,34 ~ 12,34",
                "45^{\\circ} ~ 45",
                "\\boxed{\\frac{1}{3}} ~ \\frac{1}{3}",
            })
    void normalizes(String answer, String normal) {
        assertEquals(normal, MinervaAnswer.normalize(answer));
    }

    @Test
    void goldIsTheLastBox() {
        assertEquals(
                Optional.of("\\frac{2}{3}"), MinervaAnswer.goldOf("$\\boxed{1}$, then $\\boxed{x=\\frac{2}{3}}$."));
        assertEquals(Optional.of("6"), MinervaAnswer.goldOf("it is $\\boxed 6$ or $\\boxed{7}$"));
        assertEquals(Optional.empty(), MinervaAnswer.goldOf("nothing boxed"));
        assertEquals(Optional.empty(), MinervaAnswer.goldOf("not closed \\boxed{5"));
    }

    @Test
    void theEmptyAnswerEqualsNothing() {
        assertFalse(MinervaAnswer.equal("", ""));
        assertTrue(MinervaAnswer.equal("(1,2]", "(1,2]"));
    }
}
