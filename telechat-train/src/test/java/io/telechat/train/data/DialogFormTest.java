// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.chat.ChatMessage;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DialogFormTest {
    private static final List<ChatMessage> Q_AND_A = List.of(ChatMessage.user("q"), ChatMessage.assistant("a"));

    private static JsonNode json(String line) throws BadLineException {
        byte[] bytes = line.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        return LineJson.object(bytes, 0, bytes.length);
    }

    private static Dialog parse(String line, Optional<DialogForm> form) throws BadLineException {
        return new DialogParser(Set.of()).parse(DialogForm.normalized(json(line), form));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'conversations': [{'from': 'human', 'value': 'q'}, {'from': 'gpt', 'value': 'a'}]}",
                "{'id': 'x_0', 'conversations': [{'from': 'user', 'value': 'q'}, {'from': 'assistant', 'value': 'a'}]}",
                "{'conversation': [{'role': 'Human', 'content': 'q'}, {'role': 'bot', 'content': 'a'}]}",
                "{'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': 'a'}]}",
                "{'prompt': 'q', 'response': 'a'}",
                "{'prompt': 'q', 'completion': 'a'}",
                "{'question': 'q', 'answer': 'a'}",
                "{'instruction': 'q', 'response': 'a'}",
                "{'prompt': [{'role': 'user', 'content': 'q'}], 'completion': [{'role': 'assistant', 'content': 'a'}]}",
                "{'instruction': 'q', 'input': '', 'output': 'a'}",
                "{'input': 'q', 'output': 'a'}"
            })
    void readsDialogsAsPeopleWriteThem(String line) throws BadLineException {
        assertEquals(new Dialog.Conversation(Q_AND_A), parse(line, Optional.empty()));
    }

    @Test
    void readsText() throws BadLineException {
        assertEquals(new Dialog.Text("t"), parse("{'text': 't'}", Optional.empty()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'prompt': 'q', 'question': 'p', 'answer': 'a'} | 'question'",
                "{'prompt': 'q', 'response': 'a', 'completion': 'b'} | 'completion'",
                "{'question': 'q', 'answer': 'a', 'context': 'c'} | context",
                "{'conversations': [], 'instruction': 'i'} | instruction",
                "{'conversations': [{'from': 'human', 'value': 'q'}]} | no assistant message",
                "{'conversations': [{'from': 'alien', 'value': 'q'}]} | alien"
            })
    void whatIsNotReadIsRefusedByName(String line, String part) {
        String message = assertThrows(BadLineException.class, () -> parse(line, Optional.empty()))
                .getMessage();
        assertTrue(message.contains(part.replace("'", "'")), message);
    }

    @Test
    void aLineOfAnotherFormThanTheNamedIsUnusable() {
        String message = assertThrows(
                        BadLineException.class,
                        () -> parse("{'input': 'q', 'output': 'a'}", Optional.of(DialogForm.SHAREGPT)))
                .getMessage();
        assertTrue(message.contains("sharegpt"), message);
    }
}
