// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.telechat.eval.data.BbhSet;
import io.telechat.eval.text.PythonText;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How answers are found in free texts; expected values are those of the harness. */
class BbhFilterTest {
    private static final String OPTIONS = "Which?\nOptions:\n(A) Guilty\n(B) Guilty of Romance\n(C) It's\n(D) !";

    @ParameterizedTest
    @CsvSource(
            nullValues = "none",
            value = {
                "I have three dogs, 3",
                "There are twenty-four, -",
                "twenty four, 24",
                "two hundred and thirty four, 234",
                "one million two thousand, 1003002",
                "one million two thousand five, 1002005",
                "one billion two thousand, 1000003002",
                "one thousand fourteen, 1004",
                "thousand thousand, [invalid]",
                "two thousand three million, [invalid]",
                "seven, [invalid]",
                "eight, [invalid]",
                "nineteen, 19",
                "one trillion, 1",
                "trillion, [invalid]",
                "it was for-2, -2"
            })
    void numbersAreFoundInWords(String response, String number) {
        assertEquals(number, BbhFilter.of(BbhSet.Answers.NUMBER, "", true).apply(response));
    }

    /** An expression with a repeated group would need a stack as deep. */
    @Test
    void numbersMayBeLong() {
        String words = "five hundred and ".repeat(20_000);

        assertEquals("5", BbhFilter.of(BbhSet.Answers.NUMBER, "", true).apply(words));
    }

    @ParameterizedTest
    @CsvSource({
        "'(B) or (C)', (C), (B)",
        "'guilty of ROMANCE!', (B), (B)",
        "'guilty, then its', (C), (A)",
        "'Answer: D', (D), [invalid]",
        "'none', [invalid], [invalid]",
        "'(Z)', (Z), (Z)"
    })
    void optionsAreFoundByMarkByTextOrByLetter(String response, String last, String first) {
        String plain = OPTIONS.replace("\n(D) !", "");

        assertEquals(
                response.contains("D") ? "(D)" : last,
                BbhFilter.of(BbhSet.Answers.OPTION, response.contains("D") ? OPTIONS : plain, true)
                        .apply(response));
        assertEquals(
                response.contains("D") ? "(D)" : first,
                BbhFilter.of(BbhSet.Answers.OPTION, response.contains("D") ? OPTIONS : plain, false)
                        .apply(response));
    }

    @Test
    void wordsAreInTheOrderOfTheirLastMention() {
        String input = "Sort the following words alphabetically: List: costume oven it&t a.b o'connor";

        assertEquals(
                "it&t o'connor costume oven",
                BbhFilter.of(BbhSet.Answers.WORDS, input, true)
                        .apply("oven costume it&t axb o'connor, Costume costume ovens oven"));
        assertEquals("", BbhFilter.of(BbhSet.Answers.WORDS, "no words", true).apply("oven"));
    }

    @Test
    void phrasesMeanYesOrNo() {
        assertEquals(
                "no",
                BbhFilter.of(BbhSet.Answers.HONESTY, "", true)
                        .apply("She tells the truth. He DOES NOT tell the truth"));
        assertEquals(
                "yes",
                BbhFilter.of(BbhSet.Answers.HONESTY, "", false)
                        .apply("She tells the truth. He does not tell the truth"));
        assertEquals("no", BbhFilter.of(BbhSet.Answers.PLAUSIBILITY, "", false).apply("It is Not plausible."));
        assertEquals(
                "[invalid]",
                BbhFilter.of(BbhSet.Answers.PLAUSIBILITY, "", false).apply("implausible"));
    }

    @Test
    void marksAndNumbersBoundWordsAsInPython() {
        assertEquals("[invalid]", BbhFilter.of(BbhSet.Answers.TRUTH, "", true).apply("True\u00b2"));
        assertEquals("True", BbhFilter.of(BbhSet.Answers.TRUTH, "", true).apply("True\u0301"));
        assertEquals(
                "e",
                PythonText.findAll(PythonText.regex("\\w+"), "e\u0301")
                        .getFirst()
                        .getFirst());
    }
}
