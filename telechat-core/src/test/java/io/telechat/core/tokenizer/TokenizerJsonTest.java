// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The parts of tokenizer.json files, and what the Hugging Face tokenizers library computes with them. */
class TokenizerJsonTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    Path directory;

    private static String resource(String name) {
        try (InputStream in = TokenizerJsonTest.class.getResourceAsStream("/tokenizer-json/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A base with some parts replaced. */
    private Tokenizer load(String base, JsonNode parts) throws IOException {
        ObjectNode json = (ObjectNode) MAPPER.readTree(resource(base + ".json"));
        parts.properties().forEach(part -> {
            if (part.getKey().equals("model")) {
                ((ObjectNode) json.get("model")).setAll((ObjectNode) part.getValue());
            } else {
                json.set(part.getKey(), part.getValue());
            }
        });
        Files.writeString(directory.resolve("tokenizer.json"), json.toString());
        return TokenizerFiles.load(directory).tokenizer();
    }

    static Stream<Arguments> variants() {
        return resource("cases.jsonl").lines().map(line -> {
            try {
                JsonNode variant = MAPPER.readTree(line);
                return Arguments.of(
                        variant.get("base").asText() + ", "
                                + variant.get("name").asText(),
                        variant);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("variants")
    void encodesAndDecodesAsTheLibrary(String name, JsonNode variant) throws IOException {
        Tokenizer tokenizer = load(variant.get("base").asText(), variant.get("parts"));
        for (JsonNode row : variant.get("cases")) {
            int[] ids = MAPPER.convertValue(row.get("ids"), int[].class);
            if (row.has("text")) {
                String text = row.get("text").asText();
                assertArrayEquals(ids, tokenizer.encode(text), () -> name + ": " + row);
                int[] ordinary = row.has("ordinary") ? MAPPER.convertValue(row.get("ordinary"), int[].class) : ids;
                assertArrayEquals(ordinary, tokenizer.encodeOrdinary(text), () -> name + ": " + row);
            }
            if (row.has("decoded")) {
                assertEquals(row.get("decoded").asText(), tokenizer.decode(ids), () -> name + ": " + row);
            }
            if (row.has("streamed")) {
                assertEquals(row.get("streamed").asText(), stream(tokenizer.newDecoder(), ids), () -> name);
            }
        }
    }

    private static String stream(IncrementalDecoder decoder, int... ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.add(id));
        }
        return text.append(decoder.finish()).toString();
    }

    @Test
    void bytesOfIdsAddUpToTheText() throws IOException {
        Tokenizer tokenizer = load("bytes", MAPPER.createObjectNode());
        String text = "Hello <think>中文😀</think>";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : tokenizer.encode(text)) {
            bytes.writeBytes(tokenizer.bytes(id));
        }
        assertEquals(text, bytes.toString(StandardCharsets.UTF_8));
    }

    @Test
    void marksComeOutOfAStreamWhereTheyAreAskedFor() throws IOException {
        Tokenizer tokenizer = load("bytes", MAPPER.createObjectNode());
        int mark = tokenizer.id("<|im_end|>").getAsInt();
        int[] ids = tokenizer.encode("a<|im_start|>b<|im_end|>");
        assertEquals("ab", stream(tokenizer.newDecoder(), ids));
        assertEquals("ab<|im_end|>", stream(tokenizer.newDecoder(Set.of(mark)), ids));
        assertEquals(0, tokenizer.bytes(mark).length);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"normalizer\":{\"type\":\"Precompiled\"}} | its normalizer has a step \"Precompiled\"",
                "{\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}} | its pre-tokenizer has a step"
                        + " \"BertPreTokenizer\"",
                "{\"decoder\":{\"type\":\"WordPiece\"}} | its decoder has a step \"WordPiece\"",
                "{\"decoder\":null} | it has no decoder",
                "{\"model\":{\"type\":\"Unigram\"}} | its model is \"Unigram\"",
                "{\"model\":{\"dropout\":0.1}} | 'dropout' is 0.1",
                "{\"model\":{\"unk_token\":\"nowhere\"}} | its vocabulary lacks its 'unk_token' \"nowhere\"",
                "{\"model\":{\"merges\":[\"a b c\"]}} | it has a merge that is no pair",
                "{\"model\":{\"vocab\":{\"a\":3000000}}} | an id is 3000000",
                "{\"truncation\":{\"max_length\":5}} | it truncates",
            })
    void refusesWhatItDoesNotDo(String parts, String reason) {
        InvalidModelException e =
                assertThrows(InvalidModelException.class, () -> load("characters", MAPPER.readTree(parts)));
        assertTrue(e.getMessage().contains("tokenizer.json") && e.getMessage().contains(reason), e.getMessage());
    }
}
