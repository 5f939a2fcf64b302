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
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgievalAnswerTest {
    private static final Set<String> READ_AS_MATH = Set.of("math", "gaokao-mathcloze", "gaokao-physics");

    @Test
    void scoresLikeLmEval() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (JsonNode row : MathGoldens.rows("extract/lm-eval.agieval.jsonl")) {
            String response = row.get("response").textValue();
            check(
                    wrong,
                    response,
                    row.at("/extracted/none").textValue(),
                    AgievalAnswer.extract(response).orElse(null));
            check(
                    wrong,
                    response,
                    row.at("/correct/none").booleanValue(),
                    AgievalAnswer.same(
                            AgievalAnswer.extract(response), row.get("gold").textValue()));
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void scoresLikeOpenCompass() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (JsonNode row : MathGoldens.rows("extract/opencompass.agieval.jsonl")) {
            if (READ_AS_MATH.contains(row.get("subtask").textValue())) {
                String response = row.get("response").textValue();
                check(
                        wrong,
                        response,
                        row.at("/extracted/none").textValue(),
                        AgievalAnswer.extractOpenCompass(response).orElse(null));
                check(
                        wrong,
                        response,
                        row.at("/correct/none").booleanValue(),
                        sameInOpenCompass(response, row.get("gold").textValue()));
            }
        }
        assertEquals(List.of(), wrong);
    }

    private static boolean sameInOpenCompass(String response, String gold) {
        return AgievalAnswer.extractOpenCompass(response)
                .filter(answer -> MathStyle.OPENCOMPASS_AGIEVAL.equal(answer, gold))
                .isPresent();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            nullValues = "none",
            value = {
                "so \\boxed{y = 9} ~ 9",
                "$a=2$ and then $b=11$ ~ 11",
                "a = 5. ~ 5",
                "between 3 and 4.5 m ~ 4.5",
                "costs $20 ~ $20",
                "4x and 5y ~ none",
                "\\boxed{6 ~ none",
                "\\fbox{6} ~ 6",
                "$$ ~ none",
            })
    void extracts(String response, String answer) {
        assertEquals(answer, AgievalAnswer.extract(response).orElse(null));
    }

    @Test
    void readsTheGoldAnswerTooInLmEval() {
        assertTrue(AgievalAnswer.same(AgievalAnswer.extract("It is 3/4"), "\\frac{1}{4}"));
        assertFalse(sameInOpenCompass("It is 3/4", "\\frac{1}{4}"));
    }

    @Test
    void leavesOutTheWordsThatAnnounceItInOpenCompass() {
        assertEquals(Optional.of("7"), AgievalAnswer.extractOpenCompass("x=1，答案是 7"));
        assertEquals(Optional.of("1，答案是 7"), AgievalAnswer.extract("x=1，答案是 7"));
    }
}
