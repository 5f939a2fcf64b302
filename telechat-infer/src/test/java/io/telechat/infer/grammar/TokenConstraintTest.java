// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.ChatModel;
import io.telechat.infer.engine.EngineAnswer;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model of random weights, drawing at random, keeps to any schema. */
class TokenConstraintTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    Path directory;

    @Test
    void answersKeepToTheSchemaAndEndWithIt() throws IOException {
        JsonNode schema = MAPPER.readTree("""
            {"type": "object", "properties": {
               "color": {"enum": ["red", "\u4e2d\ud83d\ude00"]}, "n": {"type": "integer", "minimum": -3, "maximum": 120},
               "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
               "name": {"type": "string", "maxLength": 5}, "code": {"type": "string", "pattern": "^[A-Z]{2}-\\\\d$"}},
             "required": ["color", "n", "tags", "name", "code"], "additionalProperties": false}
            """);
        Path path = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        SamplingOptions random = new SamplingOptions(true, 1.5f, 0, 1, 0, 1, 0, 0);
        try (ChatModel model = ChatModel.load(path)) {
            for (int seed = 0; seed < 8; seed++) {
                GenerationOptions options = GenerationOptions.greedy()
                        .withSampling(seed == 0 ? SamplingOptions.GREEDY : random)
                        .withSeed(seed)
                        .withStops(Set.of(2), List.of())
                        .withMaxNewTokens(240);
                Request request = Request.of(new int[] {5, 6, 7}, options.withGrammar(JsonSchema.compile(schema)));
                Generation answer = EngineAnswer.of(model, request);
                assertEquals(FinishReason.STOP, answer.finishReason(), answer.text());
                JsonNode json = MAPPER.readTree(answer.text());
                assertEquals(5, json.size(), answer.text());
                int n = json.get("n").intValue();
                assertTrue(n >= -3 && n <= 120, answer.text());
                assertTrue(json.get("name").textValue().codePoints().count() <= 5, answer.text());
                assertTrue(json.get("code").textValue().matches("[A-Z]{2}-\\d"), answer.text());
                assertTrue(!json.get("tags").isEmpty() && json.get("tags").size() <= 3, answer.text());
            }
        }
    }
}
