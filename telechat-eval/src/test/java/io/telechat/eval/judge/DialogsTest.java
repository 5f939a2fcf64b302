// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DialogsTest {
    @TempDir
    Path directory;

    @Test
    void ourOwnAreThreeOfEachOfTenDimensionsInTwoLanguages() {
        List<Dialog> own = Dialogs.own();
        Map<String, Long> parts = own.stream()
                .collect(Collectors.groupingBy(d -> d.dimension() + " " + d.language(), Collectors.counting()));

        assertEquals(60, own.size());
        assertEquals(20, parts.size());
        assertEquals(Set.of(3L), Set.copyOf(parts.values()));
    }

    @Test
    void ourOwnCriteriaAreForBothLanguagesOfEveryDimension() {
        Criteria criteria = Criteria.own();

        assertEquals(
                Dialogs.own().stream().map(d -> d.dimension() + d.language()).collect(Collectors.toSet()),
                criteria.all().stream()
                        .map(c -> c.dimension() + c.language().get())
                        .collect(Collectors.toSet()));
    }

    @Test
    void whatIsPrintedIsWhatIsRead() throws IOException {
        String lines = Dialogs.own().stream().map(d -> d.json() + "\n").collect(Collectors.joining());

        assertEquals(Dialogs.own(), Dialogs.read(write(lines)));
    }

    @Test
    void theLanguageIsThatOfTheLastMessageUnlessItIsSaid() throws IOException {
        List<Dialog> dialogs = Dialogs.read(write("""
            {"id": "1", "dimension": "d", "messages": [{"role": "user", "content": "你好"}]}

            {"id": "2", "dimension": "d", "messages": [{"role": "user", "content": "Hello"}]}
            {"id": "3", "dimension": "d", "language": "zh-CN", "messages": [{"role": "user", "content": "Hello"}]}
            """));

        assertEquals(
                List.of("zh", "en", "zh-CN"),
                dialogs.stream().map(Dialog::language).toList());
    }

    @Test
    void turnsWithoutAnAnswerAreAnsweredInTurn() throws IOException {
        Dialog dialog = Dialogs.read(write("""
            {"id": "1", "dimension": "d", "messages": [{"role": "system", "content": "S"},
            """.strip() + """
             {"role": "user", "content": "a"}, {"role": "assistant", "content": "given"},\
             {"role": "user", "content": "b"}, {"role": "user", "content": "c"}]}
            """)).getFirst();

        assertEquals(2, dialog.answers());
        assertEquals(
                List.of(
                        ChatMessage.system("S"),
                        ChatMessage.user("a"),
                        ChatMessage.assistant("given"),
                        ChatMessage.user("b")),
                dialog.asked(List.of()));
        assertEquals(
                List.of(ChatMessage.assistant("x"), ChatMessage.user("c")),
                dialog.asked(List.of("x")).subList(4, 6));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"dimension\": \"d\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} | \"id\" is missing",
                "{\"id\": 7, \"dimension\": \"d\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} | \"id\""
                        + " must be a text",
                "{\"id\": \"x\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} | \"dimension\" is missing",
                "{\"id\": \"x\", \"dimension\": \"d\"} | \"messages\" must be a list",
                "{\"id\": \"x\", \"dimension\": \"d\", \"messages\": []} | \"messages\" must be a list",
                "{\"id\": \"x\", \"dimension\": \"d\", \"messages\": [\"a\"]} | \"messages\" must be a list",
                "{\"id\": \"x\", \"dimension\": \"d\", \"messages\": [{\"role\": \"user\", \"content\": \" \"}]} | a"
                        + " message is empty",
                "{\"id\": \"x\", \"dimension\": \"d\", \"messages\": [{\"role\": \"robot\", \"content\": \"a\"}]} |"
                        + " unknown role 'robot'",
                "{\"id\": \"x\", \"dimension\": \"d\", \"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}"
                        + " | message 1 cannot be of the role assistant",
                "{\"id\": \"x\", \"dimension\": \"d\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"},"
                        + " {\"role\": \"system\", \"content\": \"a\"}]} | message 2 cannot be of the role system",
                "{\"id\": \"x\", \"dimension\": \"d\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"},"
                        + " {\"role\": \"assistant\", \"content\": \"b\"}]} | the last message must be the user's",
                "{\"id\": \"x\", \"dimension\": \"d\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}],"
                        + " \"reference\": 5} | \"reference\" must be a text",
                "{\"id\": \"first\", \"dimension\": \"d\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} |"
                        + " there is a dialog 'first' already",
                "[] | is not a JSON object",
                "{\"id\" | not valid JSON"
            })
    void whatIsWrongIsToldWithItsLine(String line, String part) throws IOException {
        Path file = write("""
            {"id": "first", "dimension": "d", "messages": [{"role": "user", "content": "a"}]}

            """ + line + "\n");

        InvalidInputException e = assertThrows(InvalidInputException.class, () -> Dialogs.read(file));

        assertTrue(e.getMessage().startsWith(file + " line 3: "), e.getMessage());
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }

    @Test
    void anEmptyFileHasNoDialogs() throws IOException {
        Path file = write("\n");

        assertThrows(InvalidInputException.class, () -> Dialogs.read(file));
    }

    @Test
    void theFirstAreThoseOfEachDimensionAndLanguage() {
        List<Dialog> first = Dialogs.first(Dialogs.own(), 1);

        assertEquals(20, first.size());
        assertTrue(first.stream().allMatch(d -> d.id().endsWith("-1")));
    }

    @Test
    void dimensionsAreChosenByTheirNames() {
        assertEquals(12, Dialogs.of(Dialogs.own(), Set.of("code", "safety")).size());
        assertTrue(assertThrows(InvalidRequestException.class, () -> Dialogs.of(Dialogs.own(), Set.of("cooking")))
                .getMessage()
                .contains("mathematics"));
    }

    @Test
    void criteriaAreADialogsOwnOrOfItsLanguageOrOfAnyOrOfAnother() throws IOException {
        Criteria criteria = Criteria.read(write("""
            {"dimension": "d", "language": "zh", "name": "D 维", "criteria": "zh"}
            {"dimension": "d", "criteria": "any"}
            {"dimension": "e", "language": "zh", "criteria": "only zh"}
            """));

        assertEquals("own", criteria.of(dialog("d", "en", "\"criteria\": \"own\",")));
        assertEquals("zh", criteria.of(dialog("d", "zh", "")));
        assertEquals("any", criteria.of(dialog("d", "en", "")));
        assertEquals("only zh", criteria.of(dialog("e", "en", "")));
        assertEquals("D 维", criteria.name("d").get());
        Dialog other = dialog("f", "en", "");
        assertTrue(assertThrows(InvalidInputException.class, () -> criteria.of(other))
                .getMessage()
                .contains("'f'"));
    }

    @Test
    void criteriaOfADimensionStandOnce() throws IOException {
        Path file = write("""
            {"dimension": "d", "criteria": "a"}
            {"dimension": "d", "criteria": "b"}
            """);

        assertTrue(assertThrows(InvalidInputException.class, () -> Criteria.read(file))
                .getMessage()
                .contains("line 2"));
    }

    private Dialog dialog(String dimension, String language, String more) throws IOException {
        return Dialogs.read(write("""
            {"id": "x", "dimension": "%s", "language": "%s", %s "messages": [{"role": "user", "content": "a"}]}
            """.formatted(dimension, language, more))).getFirst();
    }

    private Path write(String text) throws IOException {
        return Files.writeString(Files.createTempFile(directory, "lines", ".jsonl"), text);
    }
}
