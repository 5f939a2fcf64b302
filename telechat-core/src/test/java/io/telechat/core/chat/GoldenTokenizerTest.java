// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.Goldens;
import io.telechat.core.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The published tokenizers and chat formats against the makers' Python. Needs the golden folder beside the checkout. */
class GoldenTokenizerTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static Tokenizer tokenizer(String model) {
        return load(model).tokenizer();
    }

    private static ChatTokenizer load(String model) {
        Path directory = Goldens.shared("tokenizers").resolve(model);
        assumeTrue(Files.isDirectory(directory), "no golden tokenizers beside the checkout: " + directory);
        return ChatTokenizer.load(directory);
    }

    private static List<JsonNode> rows(Path file) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            rows.add(MAPPER.readTree(line));
        }
        return rows;
    }

    private static int[] ints(JsonNode list) {
        int[] values = new int[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i).intValue();
        }
        return values;
    }

    @ParameterizedTest
    @ValueSource(strings = {"telechat-52b", "telechat-12b-v2", "telechat2-115b", "llama2", "qwen1", "telechat3-36b"})
    void encodesAndDecodes(String model) throws IOException {
        Tokenizer tokenizer = tokenizer(model);
        for (JsonNode row : rows(Goldens.shared("tokenizer_cases").resolve(model + ".encode.jsonl"))) {
            String text = row.get("text").asText();
            assertArrayEquals(ints(row.get("ids")), tokenizer.encode(text), () -> "text " + row.get("text"));
            assertEquals(row.get("decoded").asText(), tokenizer.decode(ints(row.get("ids"))));
            for (String ordinary : List.of("ids_no_special", "ids_raw_spm")) {
                if (row.has(ordinary)) {
                    assertArrayEquals(ints(row.get(ordinary)), tokenizer.encodeOrdinary(text), () -> "text " + text);
                }
            }
        }
        for (JsonNode row : rows(Goldens.shared("tokenizer_cases").resolve(model + ".decode.jsonl"))) {
            assertEquals(row.get("decoded").asText(), tokenizer.decode(ints(row.get("ids"))));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"telechat-52b", "telechat-12b-v2", "telechat2-115b", "llama2", "qwen1", "telechat3-36b"})
    void rendersThePublishedChatFormats(String model) throws IOException {
        Path file = Goldens.shared("chat").resolve("build_inputs.jsonl");
        assumeTrue(Files.exists(file), "no golden prompts beside the checkout: " + file);
        for (JsonNode row : rows(file)) {
            if (!row.get("model").asText().equals(model)) {
                continue;
            }
            boolean trims = row.path("generation_config_overrides").size() > 0;
            if (!trims) {
                List<ChatMessage> messages = new ArrayList<>();
                row.path("history")
                        .forEach(m -> messages.add(new ChatMessage(
                                Role.parse(m.get("role").asText()),
                                m.get("content").asText())));
                for (int i = 0; i < row.path("history_inputs").size(); i++) {
                    messages.add(
                            ChatMessage.user(row.get("history_inputs").get(i).asText()));
                    messages.add(ChatMessage.assistant(
                            row.get("history_outputs").get(i).asText()));
                }
                messages.add(ChatMessage.user(row.get("question").asText()));
                ChatTokenizer tokenizer = load(row.get("model").asText());
                assertArrayEquals(
                        ints(row.get("input_ids")), tokenizer.prompt(messages, MarkerPolicy.ESCAPE), row.toString());
            }
        }
    }
}
