// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.train.data.BadLineException.Reason;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DialogParserTest {
    private static final DialogParser PARSER = new DialogParser(Set.of("<_user>", "<_bot>", "<_end>"));

    private static Dialog parse(byte[] line) throws BadLineException {
        return PARSER.parse(LineJson.object(line, 0, line.length));
    }

    private static Dialog parse(String line) throws BadLineException {
        return parse(line.getBytes(StandardCharsets.UTF_8));
    }

    private static Dialog conversation(ChatMessage... messages) {
        return new Dialog.Conversation(List.of(messages));
    }

    private static final Dialog Q_AND_A = conversation(ChatMessage.user("q"), ChatMessage.assistant("a"));

    @Test
    void readsAQuestionAndAnAnswer() throws BadLineException {
        assertEquals(Q_AND_A, parse("{\"input\": \"q\", \"output\": \"a\"}"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'instruction': 'q', 'output': 'a'}",
                "{'instruction': 'q', 'input': '', 'output': 'a'}",
                "{'instruction': '', 'input': 'q', 'output': 'a'}",
                "{'input': 'q', 'output': 'a', 'id': 7, 'source': 'x', 'score': NaN, 'weight': 1, 'history': []}",
                "{'messages': [{'role': 'user', 'content': 'q', 'name': 'x'}, {'role': 'assistant', 'content': 'a'}]}",
                "{'tools': [], 'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': 'a',"
                        + " 'tool_calls': null}]}"
            })
    void extraFieldsThatSayNothingAreHarmless(String line) throws BadLineException {
        assertEquals(Q_AND_A, parse(line.replace('\'', '"')));
    }

    @Test
    void anInstructionGoesInFrontOfTheInput() throws BadLineException {
        assertEquals(
                conversation(ChatMessage.user("Translate.\nq"), ChatMessage.assistant("a")),
                parse("{\"instruction\": \"Translate.\", \"input\": \"q\", \"output\": \"a\"}"));
    }

    @Test
    void aHistoryGoesBeforeTheQuestion() throws BadLineException {
        assertEquals(
                conversation(
                        ChatMessage.user("q0"),
                        ChatMessage.assistant("a0"),
                        ChatMessage.user("q"),
                        ChatMessage.assistant("a")),
                parse("{\"history\": [[\"q0\", \"a0\"]], \"instruction\": \"q\", \"output\": \"a\"}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'tools': [{'name': 'f'}], 'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant',"
                        + " 'content': 'a'}]} | tools",
                "{'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': null, 'tool_calls':"
                        + " [{'name': 'f', 'arguments': {}}]}]} | tool_calls",
                "{'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': 'a', 'weight':"
                        + " 0.5}]} | weight",
                "{'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': 'a',"
                        + " 'reasoning_content': 'r'}]} | reasoning_content",
                "{'instruction': 'i', 'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content':"
                        + " 'a'}]} | instruction",
                "{'input': 'q', 'output': 'a', 'tools': [{}]} | tools",
                "{'input': 'q', 'output': 'a', 'images': ['x.png']} | images",
                "{'input': 'q', 'output': 'a', 'weight': 2} | weight",
                "{'data': 'text', 'system': 's'} | system",
                "{'input': 'q', 'output': 'a', 'history': 'q0'} | history"
            })
    void fieldsThatCarryPartOfTheDialogAreNeverDropped(String line, String field) {
        String message = assertThrows(BadLineException.class, () -> parse(line.replace('\'', '"')))
                .getMessage();
        assertTrue(message.contains(field), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"[{'input': 'q', | JSON array", "[ | JSON array", "{ | indented JSON"})
    void aFileThatIsOneValueIsRecognised(String line, String part) {
        String message = assertThrows(BadLineException.class, () -> parse(line.replace('\'', '"')))
                .getMessage();
        assertTrue(message.contains(part), message);
    }

    @Test
    void stripsOneLeadingMark() throws BadLineException {
        assertEquals(Q_AND_A, parse("{\"input\": \"<_user>q\", \"output\": \"<_bot>a\"}"));
    }

    @Test
    void readsSeveralTurnsOfOneInput() throws BadLineException {
        assertEquals(
                conversation(
                        ChatMessage.user("q1"),
                        ChatMessage.assistant("a1"),
                        ChatMessage.user("q2"),
                        ChatMessage.assistant("a2")),
                parse("{\"input\": \"<_user>q1<_bot>a1<_user>q2\", \"output\": \"a2\"}"));
    }

    @Test
    void putsTheSystemMessageInFront() throws BadLineException {
        assertEquals(
                conversation(ChatMessage.system("s"), ChatMessage.user("q"), ChatMessage.assistant("a")),
                parse("{\"system\": \"s\", \"input\": \"q\", \"output\": \"a\"}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"\"\"", "null"})
    void noSystemMessageIsMadeOfNothing(String system) throws BadLineException {
        assertEquals(Q_AND_A, parse("{\"system\": %s, \"input\": \"q\", \"output\": \"a\"}".formatted(system)));
    }

    @Test
    void readsMessages() throws BadLineException {
        assertEquals(
                conversation(
                        ChatMessage.system("s"),
                        ChatMessage.user("q"),
                        ChatMessage.assistant("call"),
                        new ChatMessage(Role.TOOL, "result"),
                        ChatMessage.assistant("a")),
                parse("""
                    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"},
                     {"role": "assistant", "content": "call"}, {"role": "tool", "content": "result"},
                     {"role": "bot", "content": "a"}]}\
                    """));
    }

    @Test
    void leavesOutWhatFollowsTheLastAnswer() throws BadLineException {
        assertEquals(Q_AND_A, parse("""
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"},
             {"role": "user", "content": "and now?"}]}\
            """));
    }

    @Test
    void readsPlainText() throws BadLineException {
        assertEquals(new Dialog.Text(" once upon\na time "), parse("{\"data\": \" once upon\\na time \"}"));
    }

    @Test
    void readsALineInTheMiddleOfABuffer() throws BadLineException {
        byte[] buffer = "xx{\"data\": \"text\"}\r\nyy".getBytes(StandardCharsets.UTF_8);
        assertEquals(new Dialog.Text("text"), PARSER.parse(LineJson.object(buffer, 2, buffer.length - 3)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "MALFORMED_JSON | {",
                "MALFORMED_JSON | [1]",
                "MALFORMED_JSON | \"text\"",
                "MALFORMED_JSON | {\"data\": \"a\"} {\"data\": \"b\"}",
                "MALFORMED_JSON | {\"data\": 'a'}",
                "MISSING_FIELDS | {}",
                "MISSING_FIELDS | {\"input\": \"q\"}",
                "MISSING_FIELDS | {\"output\": \"a\"}",
                "MISSING_FIELDS | {\"input\": 1, \"output\": \"a\"}",
                "MISSING_FIELDS | {\"input\": \"q\", \"output\": null}",
                "MISSING_FIELDS | {\"system\": 1, \"input\": \"q\", \"output\": \"a\"}",
                "MISSING_FIELDS | {\"data\": [\"text\"]}",
                "MISSING_FIELDS | {\"messages\": []}",
                "MISSING_FIELDS | {\"messages\": \"q\"}",
                "MISSING_FIELDS | {\"messages\": [\"q\"]}",
                "MISSING_FIELDS | {\"messages\": [{\"role\": \"user\"}]}",
                "MISSING_FIELDS | {\"messages\": [{\"role\": \"user\", \"content\": \"q\"}]}",
                "UNUSABLE_ROLE | {\"messages\": [{\"role\": \"narrator\", \"content\": \"q\"}]}",
                "WRONG_TURNS | {\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}",
                "WRONG_TURNS | {\"input\": \"q<_bot>a\", \"output\": \"a\"}",
                "WRONG_TURNS | {\"input\": \"q<_user>q\", \"output\": \"a\"}",
                "WRONG_TURNS | {\"input\": \"q<_bot>a<_bot>a<_user>q\", \"output\": \"a\"}",
                "ROLE_MARKER | {\"input\": \"q\", \"output\": \"a<_bot>b\"}",
                "ROLE_MARKER | {\"input\": \"q\", \"output\": \"a<_user>b\"}",
                "ROLE_MARKER | {\"input\": \"q<_end>\", \"output\": \"a\"}",
                "ROLE_MARKER | {\"data\": \"a<_end>b\"}",
                "EMPTY | {\"input\": \"\", \"output\": \"a\"}",
                "EMPTY | {\"input\": \"q\", \"output\": \" \\n\"}",
                "EMPTY | {\"input\": \"q\", \"output\": \"<_bot>\"}",
                "EMPTY | {\"data\": \"\"}",
            })
    void tellsWhatIsWrong(Reason reason, String line) {
        assertEquals(
                reason, assertThrows(BadLineException.class, () -> parse(line)).reason());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "system    | user, system, assistant",
                "user      | user, user, assistant",
                "assistant | user, assistant, assistant",
                "tool      | tool, assistant",
                "tool      | user, tool, assistant"
            })
    void refusesTurnsOutOfOrder(String wrong, String roles) {
        StringBuilder messages = new StringBuilder();
        for (String role : roles.split(", ")) {
            messages.append(messages.isEmpty() ? "" : ",")
                    .append("{\"role\": \"%s\", \"content\": \"x\"}".formatted(role));
        }
        BadLineException e =
                assertThrows(BadLineException.class, () -> parse("{\"messages\": [%s]}".formatted(messages)));
        assertEquals("turns out of order: " + wrong, e.getMessage().split(" message after")[0]);
    }

    /** In OpenAI's format an answer of weight 0 is not to be trained. */
    @ParameterizedTest
    @ValueSource(strings = {"0", "0.5", "false"})
    void refusesAWeightThatIsNotOne(String weight) {
        String line = "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", \"content\":"
                + " \"y\", \"weight\": %s}]}";
        BadLineException e = assertThrows(BadLineException.class, () -> parse(line.formatted(weight)));
        assertTrue(e.getMessage().contains("'weight' is " + weight), e.getMessage());
        assertDoesNotThrow(() -> parse(line.formatted("1")));
    }

    @Test
    void refusesWhatIsNotUtf8() {
        byte[] line = "{\"data\": \"a?\"}".getBytes(StandardCharsets.US_ASCII);
        line[line.length - 3] = (byte) 0xff;
        assertEquals(
                Reason.MALFORMED_JSON,
                assertThrows(BadLineException.class, () -> parse(line)).reason());
    }
}
