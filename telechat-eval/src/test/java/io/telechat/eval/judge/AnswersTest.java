// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidInputException;
import io.telechat.core.chat.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswersTest {
    private static final Dialog ONE = dialog("one", "a");
    private static final Dialog TWO = dialog("two", "a", "b");

    @TempDir
    Path directory;

    private static Dialog dialog(String id, String... turns) {
        List<ChatMessage> messages =
                List.of(turns).stream().map(ChatMessage::user).toList();
        return new Dialog(id, "d", "en", messages, Optional.empty(), Optional.empty());
    }

    @Test
    void anAnswerOrSeveralAndThoseOfOtherDialogsAreOfNoInterest() throws IOException {
        Answers answers = read("""
            {"id": "one", "answer": "x"}
            {"id": "two", "answers": ["y", "z"]}
            {"id": "three", "answer": "of a larger set"}
            """);

        assertEquals(List.of("x"), answers.to(ONE).texts());
        assertEquals(List.of("y", "z"), answers.to(TWO).texts());
    }

    @Test
    void whatIsMissingCountsAsFailed() throws IOException {
        Answers answers = read("{\"id\": \"one\", \"answer\": \"\"}\n");

        assertEquals(List.of(""), answers.to(ONE).texts());
        assertTrue(answers.to(TWO).failure().isPresent());
    }

    @Test
    void aDirectoryOfAnEarlierRunHasThem() throws IOException {
        Files.writeString(directory.resolve("answers.jsonl"), """
            {"id": "one", "answers": ["x"]}
            {"id": "two", "answers": [], "failure": "too long"}
            """);
        Answers answers = Answers.read(directory, List.of(ONE, TWO));

        assertEquals(List.of("x"), answers.to(ONE).texts());
        assertEquals(Optional.of("too long"), answers.to(TWO).failure());
        assertEquals(directory.toString(), answers.name());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"answer\": \"x\"} | \"id\" is missing",
                "{\"id\": \"two\"} | either \"answer\"",
                "{\"id\": \"two\", \"answer\": 5} | either \"answer\"",
                "{\"id\": \"two\", \"answers\": [5, 6]} | either \"answer\"",
                "{\"id\": \"two\", \"answer\": \"x\", \"answers\": [\"y\", \"z\"]} | either \"answer\"",
                "{\"id\": \"two\", \"answers\": [\"y\"]} | has 1 answers, the dialog 'two' wants 2",
                "{\"id\": \"one\", \"answer\": \"again\"} | there is an answer to 'one' already"
            })
    void whatIsWrongIsToldWithItsLine(String line, String part) {
        InvalidInputException e = assertThrows(
                InvalidInputException.class, () -> read("{\"id\": \"one\", \"answer\": \"x\"}\n" + line + "\n"));

        assertTrue(e.getMessage().contains("answers.txt line 2: "), e.getMessage());
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }

    @Test
    void answersToNoneOfTheDialogsAreTheWrongFile() {
        assertTrue(assertThrows(InvalidInputException.class, () -> read("{\"id\": \"x\", \"answer\": \"x\"}\n"))
                .getMessage()
                .contains("has no answer to any of the dialogs"));
    }

    private Answers read(String text) throws IOException {
        Path file = Files.writeString(directory.resolve("answers.txt"), text);
        return Answers.read(file, List.of(ONE, TWO));
    }
}
