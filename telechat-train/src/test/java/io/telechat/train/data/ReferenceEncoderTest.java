// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.testing.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceEncoderTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int PAD = 3;

    private static String text(String input, String output) throws BadLineException {
        return ReferenceEncoder.text(
                MAPPER.createObjectNode().put("input", input).put("output", output));
    }

    @ParameterizedTest
    @CsvSource({
        "q,                    a,      <_user>q<_bot>a</s><_end>",
        "<_user>q,             <_bot>a,<_user>q<_bot>a</s><_end>",
        "<_user>a<_bot>b<_user>c,    d,<_user>a<_bot>b<_end><_user>c<_bot>d</s><_end>",
        "q,                    x</s>,  <_user>q<_bot>x</s></s><_end>"
    })
    void writesATextWithMarks(String input, String output, String expected) throws BadLineException {
        assertEquals(expected, text(input, output));
    }

    @ParameterizedTest
    @CsvSource({"<_user><_user>x, y", "q, <_bot><_bot>z", "a<_bot>b, c", "q, a<_end>b"})
    void refusesMarksThatDoNotAgree(String input, String output) {
        assertEquals(
                BadLineException.Reason.WRONG_TURNS,
                assertThrows(BadLineException.class, () -> text(input, output)).reason());
    }

    @Test
    void refusesOtherForms() {
        JsonNode line = MAPPER.createObjectNode().put("data", "text");
        assertEquals(
                BadLineException.Reason.MISSING_FIELDS,
                assertThrows(BadLineException.class, () -> ReferenceEncoder.text(line))
                        .reason());
    }

    private static List<JsonNode> golden(String name) throws IOException {
        Path file = Goldens.shared("process_data/" + name);
        Assumptions.assumeTrue(Files.exists(file), "needs the golden data beside the checkout");
        List<JsonNode> cases = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            cases.add(MAPPER.readTree(line));
        }
        return cases;
    }

    @Test
    void writesTheGoldenTexts() throws Exception {
        for (JsonNode each : golden("get_weight_data.jsonl")) {
            if (each.has("error")) {
                assertThrows(BadLineException.class, () -> ReferenceEncoder.text(each), each.toString());
            } else {
                assertEquals(each.get("lines").get(0).asText(), ReferenceEncoder.text(each));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"process_concat_data.jsonl", "process_concat_data_malformed.jsonl"})
    void encodesTheGoldenTexts(String name) throws Exception {
        List<JsonNode> cases = golden(name);
        ReferenceEncoder encoder = new ReferenceEncoder(
                ChatTokenizer.load(Goldens.shared("tokenizers/telechat-52b")).tokenizer(), 4096);
        for (JsonNode each : cases) {
            String line = each.get("line").asText();
            if (each.has("error")) {
                assertThrows(BadLineException.class, () -> encoder.encode(line), line);
                continue;
            }
            EncodedDialog dialog = encoder.encode(line);
            int[] ids = dialog.ids();
            byte[] mask = dialog.mask();
            assertArrayEquals(
                    ints(each.get("input_ids")),
                    padded(ids, each.get("max_seq_len").intValue(), PAD),
                    line);
            if (each.has("loss_mask_intended")) {
                int[] trained = new int[mask.length];
                for (int i = 0; i < mask.length; i++) {
                    trained[i] = mask[i];
                }
                assertArrayEquals(
                        ints(each.get("loss_mask_intended")),
                        padded(trained, each.get("max_seq_len").intValue(), 0),
                        line);
            }
        }
    }

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).intValue();
        }
        return values;
    }

    private static int[] padded(int[] values, int length, int padding) {
        int[] row = new int[Math.max(length, values.length)];
        for (int i = 0; i < row.length; i++) {
            int from = i - (row.length - values.length);
            row[i] = from < 0 ? padding : values[from];
        }
        return row;
    }
}
