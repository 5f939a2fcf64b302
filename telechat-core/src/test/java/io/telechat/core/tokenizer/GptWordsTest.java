// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Words cut by hand-written rules against the regular expressions that they stand for; and the time that both take. */
class GptWordsTest {
    /** The pattern of GPT-4o, which is left to java.util.regex. */
    private static final String GPT4O = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"
            + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?"
            + "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final String CHARACTERS =
            "aAsStTrReEvVmMlLdDkK''''  \t\n\r\u0085\u00a0\u2009\u3000\u001c\u200b\u017f\u212a"
                    + "012Ⅷ½２中文字éß\u0301\u0323,.!?-_#$+=()<>😀𠀀𝟘\ud800\udc00x\ud83d";

    private static PreTokenizer regex(String pattern) {
        return new PatternSplit("test", Oniguruma.compile("test", pattern), PatternSplit.Behavior.ISOLATED, false);
    }

    private static List<String> words(PreTokenizer cut, String text, int from, int to) {
        List<String> words = new ArrayList<>();
        cut.split(text, from, to, (word, start, end) -> words.add(word.substring(start, end)));
        return words;
    }

    @ParameterizedTest
    @ValueSource(strings = {GptWords.GPT2, GptWords.QWEN, "llama3"})
    void cutsAsThePattern(String name) {
        String pattern = name.equals("llama3") ? GptWords.LLAMA3 : name;
        PreTokenizer written = GptWords.of(pattern).orElseThrow();
        PreTokenizer regex = regex(pattern);
        SplittableRandom random = new SplittableRandom(4);
        int[] characters = CHARACTERS.codePoints().toArray();
        for (int round = 0; round < 30_000; round++) {
            StringBuilder builder = new StringBuilder();
            for (int i = random.nextInt(25); i >= 0; i--) {
                builder.appendCodePoint(characters[random.nextInt(characters.length)]);
            }
            String text = builder.toString();
            int from = random.nextInt(3) == 0 ? random.nextInt(text.length()) : 0;
            int to = random.nextInt(3) == 0 ? from + random.nextInt(1 + text.length() - from) : text.length();
            assertEquals(words(regex, text, from, to), words(written, text, from, to), () -> escaped(text));
        }
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.chars().forEach(c -> escaped.append(c > ' ' && c < 0x7f ? "" + (char) c : "\\u%04x".formatted(c)));
        return escaped.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {GptWords.GPT2, GptWords.QWEN, GPT4O})
    void longRunsTakeLittleTime(String pattern) {
        for (String unit :
                List.of("a", "A", " ", "\n", "1", "!", "😀", "中", "\u0301", "' ", "\u00a0", " \n", "aA", "'")) {
            String text = unit.repeat(400_000 / unit.length()) + "x";
            for (PreTokenizer cut : List.of(GptWords.of(pattern).orElse(regex(pattern)), regex(pattern))) {
                assertTimeoutPreemptively(
                        Duration.ofSeconds(10),
                        () -> assertEquals(text, String.join("", words(cut, text, 0, text.length()))),
                        () -> escaped(unit));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"(a|a)*b", "(?:a|b)+c", "(a*)*$x", "(?:a+)+b"})
    void aPatternThatNeverEndsIsRefused(String pattern) {
        String text = "a".repeat(200_000);
        InvalidModelException e = assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> assertThrows(InvalidModelException.class, () -> words(regex(pattern), text, 0, text.length())));
        assertTrue(e.getMessage().contains("takes too long"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"(?m:.)", "a{1,2}+", "\\Ga", "[[:nothing:]]", "(?<x>a)\\k<x>", "\\p{No such}", "(", "[a", "\\"})
    void whatMeansSomethingElseInJavaIsRefused(String pattern) {
        InvalidModelException e =
                assertThrows(InvalidModelException.class, () -> Oniguruma.compile("some.json", pattern));
        assertTrue(e.getMessage().startsWith("some.json: cannot be used"), e.getMessage());
    }

    /** As Oniguruma has them (release 6.9 by way of the tokenizers library). */
    @Test
    void classesAreOnigurumas() {
        assertEquals(List.of("½²Ⓐ\u0301٣_", "\u200d"), words(regex("\\w+"), "½²Ⓐ\u0301٣_\u200d", 0, 7));
        assertEquals(List.of("a", "½", "b"), words(regex("[\\w]+"), "a½b", 0, 3));
        assertEquals(List.of("$€!", "a"), words(regex("[[:punct:]]+"), "$€!a", 0, 4));
        assertEquals(List.of("$€", "!", "a"), words(regex("\\p{Punct}+"), "$€!a", 0, 4));
        assertEquals(List.of("fF09", "g"), words(regex("\\h+"), "fF09g", 0, 5));
        assertEquals(List.of("漢", "かA"), words(regex("\\p{Han}"), "漢かA", 0, 3));
        assertEquals(List.of("a", "\n", "b"), words(regex("^b|a$"), "a\nb", 0, 3));
        assertEquals(List.of("\u2028\r", "\n"), words(regex(".+"), "\u2028\r\n", 0, 3));
    }
}
