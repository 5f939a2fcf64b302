// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChoiceReaderTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"reason\": \"B is worse\", \"winner\": \"A\"} | A",
                "{\"winner\": \"tie\"} | TIE",
                "{\"winner\": \"Answer B\"} | B",
                "```json {\"winner\": \"回答 B\"} ``` | B",
                "{\"winner\": \"平局\"} | TIE",
                "Winner: A | A",
                "**Winner:** B | B",
                "The winner is B, not A. | B",
                "胜者：A | A",
                "更好的回答是 B | B",
                "[[A]] | A",
                "First I thought [[A]], but in the end [[tie]] | TIE",
                "B | B",
                "Answer A. | A",
                "Tie | TIE"
            })
    void findsTheWinner(String reply, Choice winner) {
        assertEquals(Optional.of(winner), ChoiceReader.read(reply).map(Reading::value));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Both have merits.",
                "{\"winner\": \"C\"}",
                "{\"winner\": null}",
                "{\"winner\": \"A and B\"}",
                "The winner is a good answer.",
                "Winner: Anna",
                "A is long and B is short."
            })
    void saysWhenThereIsNone(String reply) {
        assertEquals(Optional.empty(), ChoiceReader.read(reply).map(Reading::value));
    }
}
