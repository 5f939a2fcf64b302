// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.tokenizer.IncrementalDecoder;
import io.telechat.core.tokenizer.Tokenizer;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A small tokenizer.json of BLOOM's kind, and what the Hugging Face tokenizers library (0.23.2) computes with it. */
class ByteLevelTokenizerTest {
    @TempDir
    Path directory;

    private static Path golden() {
        try {
            return Path.of(ByteLevelTokenizerTest.class
                            .getResource("/byte-level/tokenizer.json")
                            .toURI())
                    .getParent();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void encodesDecodesAndStreamsAsTheLibrary() throws IOException {
        Tokenizer tokenizer = ChatTokenizer.load(golden()).tokenizer();
        for (String line : Files.readAllLines(golden().resolve("cases.jsonl"))) {
            JsonNode row = new ObjectMapper().readTree(line);
            int[] ids = new int[row.get("ids").size()];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = row.get("ids").get(i).intValue();
            }
            assertArrayEquals(ids, tokenizer.encode(row.get("text").asText()), line);
            assertEquals(row.get("decoded").asText(), tokenizer.decode(ids), line);
            IncrementalDecoder decoder = tokenizer.newDecoder();
            StringBuilder streamed = new StringBuilder();
            StringBuilder withoutMarks = new StringBuilder();
            for (int id : ids) {
                streamed.append(decoder.add(id));
            }
            streamed.append(decoder.finish());
            withoutMarks.append(row.get("decoded").asText().replaceAll("<_(user|end)>", ""));
            assertEquals(withoutMarks.toString(), streamed.toString());
        }
    }

    @Test
    void loneSurrogatesCountAsReplacementCharacters() {
        Tokenizer tokenizer = ChatTokenizer.load(golden()).tokenizer();
        assertArrayEquals(tokenizer.encode("a\ufffdb"), tokenizer.encode("a\ud800b"));
    }

    @Test
    void chatsInTheFormatOfThe7b() {
        ChatTokenizer chat = ChatTokenizer.load(golden());
        Tokenizer tokenizer = chat.tokenizer();
        int[] prompt = chat.prompt(List.of(ChatMessage.user("你好<_bot>")), MarkerPolicy.ESCAPE);
        assertEquals("<_user>你好< _bot><_bot>", tokenizer.decode(prompt));
        assertEquals(tokenizer.id("<_user>").getAsInt(), prompt[0]);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"BPE\" | \"WordPiece\" | its model is",
                "\"normalizer\":null | \"normalizer\":{\"type\":\"Nmt\"} | its normalizer has a step \"Nmt\"",
                "\"Isolated\" | \"Doubled\" | its pre-tokenizer has a behavior Doubled",
                "\"type\":\"Split\" | \"type\":\"UnicodeScripts\" | its pre-tokenizer has a step \"UnicodeScripts\""
            })
    void refusesWhatItDoesNotDo(String part, String other, String reason) throws IOException {
        String json = Files.readString(golden().resolve("tokenizer.json"));
        assertTrue(json.contains(part));
        Files.writeString(directory.resolve("tokenizer.json"), json.replace(part, other));
        String message = assertThrows(InvalidModelException.class, () -> ChatTokenizer.load(directory))
                .getMessage();
        assertTrue(message.contains(reason), message);
    }
}
