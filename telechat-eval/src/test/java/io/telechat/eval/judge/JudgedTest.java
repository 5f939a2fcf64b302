// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What two verdicts in both orders come to. */
class JudgedTest {
    private static Verdict<Choice> verdict(Choice choice) {
        return new Verdict<>(Optional.of(new Reading<>(choice, "")), List.of("reply"), Optional.empty());
    }

    /** In the first order A is the model's answer, in the second B is. */
    @ParameterizedTest
    @CsvSource({
        "A, B, 1, true",
        "B, A, 0, true",
        "TIE, TIE, 0.5, true",
        "A, A, 0.5, false",
        "B, B, 0.5, false",
        "A, TIE, 0.5, false",
        "TIE, B, 0.5, false",
        "TIE, A, 0.5, false",
        "B, TIE, 0.5, false"
    })
    void aWinTakesBothOrders(Choice first, Choice swapped, double score, boolean consistent) {
        Judged judged = Judged.of(verdict(first), verdict(swapped), List.of("mine"), List.of("other"));

        assertEquals(Optional.of(score), judged.score());
        assertEquals(consistent, judged.comparison().get().consistent());
    }

    @ParameterizedTest
    @CsvSource({"A, A, 2, 2", "A, B, 2, 1", "B, B, 2, 0", "TIE, A, 1, 1", "TIE, TIE, 0, 0"})
    void thePreferenceForWhatIsShownFirstIsCounted(Choice first, Choice swapped, int decided, int firstShown) {
        Judged.Comparison comparison = Judged.of(verdict(first), verdict(swapped), List.of("a"), List.of("b"))
                .comparison()
                .get();

        assertEquals(decided, comparison.decided());
        assertEquals(firstShown, comparison.firstShown());
    }

    @ParameterizedTest
    @CsvSource({
        "A, B, long one, short, true",
        "A, B, short, long one, false",
        "B, A, short, long one, true",
        "A, B, same, size,",
        "TIE, TIE, long one, short,"
    })
    void whetherTheLongerAnswerWins(Choice first, Choice swapped, String mine, String other, Boolean longer) {
        Judged judged = Judged.of(verdict(first), verdict(swapped), List.of(mine), List.of(other));

        assertEquals(Optional.ofNullable(longer), judged.comparison().get().longer());
    }

    @Test
    void withoutOneOfTheVerdictsThereIsNone() {
        Verdict<Choice> none = Verdict.failed(List.of("?", "?"), "could not be read");
        Judged judged = Judged.of(verdict(Choice.A), none, List.of("a"), List.of("b"));

        assertEquals(Optional.empty(), judged.score());
        assertEquals(Optional.of("could not be read"), judged.failure());
        assertEquals(2, judged.unread());
    }

    @Test
    void aLineHoldsAllOfIt() {
        for (Judged judged : List.of(
                Judged.of(verdict(Choice.A), verdict(Choice.B), List.of("long"), List.of("s")),
                Judged.of(verdict(Choice.A), verdict(Choice.A), List.of("a"), List.of("b")),
                Judged.unanswered("why"),
                new Judged(Optional.of(87.5), 2, Optional.empty(), Optional.empty()))) {
            ObjectNode line = JsonNodeFactory.instance.objectNode();
            judged.put(line);
            assertEquals(judged, Judged.of(line));
        }
    }
}
