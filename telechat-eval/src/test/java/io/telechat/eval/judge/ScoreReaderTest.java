// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScoreReaderTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"reason\": \"fine\", \"score\": 85} | 85",
                "{\"score\": 85.5} | 85.5",
                "{\"score\": \"85\"} | 85",
                "{\"score\": \"85/100\"} | 85",
                "Here it is: ```json {\"reason\": \"has {braces}\", \"score\": 0} ``` Done. | 0",
                "{\"score\": 20} No, wait: {\"score\": 70} | 70",
                "{\"score\": 90, \"parts\": {\"score\": 10}} | 90",
                "{\"parts\": {\"a\": 1}} {\"verdict\": {\"score\": 40}} | 40",
                "{\"reason\": \"I first thought of score: 20\", \"score\": 60} | 60",
                "{\"reason\": \"cut off\", \"score\": 85 | 85",
                "Score: 85 | 85",
                "**Score:** 85/100 | 85",
                "The score is 85. | 85",
                "Score (0-100): 85 | 85",
                "Score: 85 out of 100 | 85",
                "Accuracy score: 40, overall rating: **72** | 72",
                "评分：85 | 85",
                "最终得分：**85分** | 85",
                "评分（0-100）：85 | 85",
                "满分100分，得分为 60 | 60",
                "得分 60，总分 100 | 60",
                "I give it 85/100. | 85",
                "85 | 85",
                "85分。 | 85",
                "[[85]] | 85",
                "100 points | 100"
            })
    void findsTheScore(String reply, double score) {
        assertEquals(Optional.of(score), ScoreReader.read(reply).map(Reading::value));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "A good answer.",
                "{\"reason\": \"no score\"}",
                "{\"score\": 101}",
                "{\"score\": -1}",
                "{\"score\": null}",
                "{\"score\": \"high\"}",
                "{\"score\": \"8/10\"}",
                "Score: 185",
                "Score: -5",
                "Score: 80-90",
                "评分：80～90",
                "Score: 8/10",
                "评分：4/5",
                "8 out of 10",
                "扣 5 分，因为有错误",
                "There are 3 mistakes in 20 lines.",
                "1234567",
                "{{{{{{{{"
            })
    void saysWhenThereIsNone(String reply) {
        assertEquals(Optional.empty(), ScoreReader.read(reply).map(Reading::value));
    }

    @Test
    void theReasonOfJsonIsItsOwnOfOtherTextAllOfIt() {
        assertEquals(
                "so",
                ScoreReader.read("{\"reason\": \" so \", \"score\": 1}").get().reason());
        assertEquals(
                "Weak. Score: 1", ScoreReader.read(" Weak. Score: 1\n").get().reason());
    }

    @Test
    void aLongHostileReplyIsReadInTime() {
        String reply = "{".repeat(200_000) + "score ".repeat(50_000) + "(".repeat(50_000) + "9".repeat(50_000);

        assertEquals(Optional.empty(), ScoreReader.read(reply));
        assertEquals(Optional.empty(), ChoiceReader.read(reply));
    }
}
