// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every stage of the sampling chain against what the reference's framework computes. */
class SamplerGoldenTest {
    private static final double TOLERANCE = 1e-6;

    static List<Named<JsonNode>> cases() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                SamplerGoldenTest.class.getResourceAsStream("/sampling-cases.jsonl"), StandardCharsets.UTF_8))) {
            return reader.lines()
                    .map(line -> {
                        try {
                            JsonNode node = mapper.readTree(line);
                            return Named.of(node.get("name").asText(), node);
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                    })
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyStageMatches(JsonNode c) {
        float[] logits = floats(c.get("logits"));
        int[] previous = new int[c.get("prev_ids").size()];
        for (int i = 0; i < previous.length; i++) {
            previous[i] = c.get("prev_ids").get(i).intValue();
        }
        TokenHistory history = new TokenHistory(previous);
        // Where ties make the kept ids arbitrary, only their number counts.
        boolean countOnly = c.get("name").asText().startsWith("top_p_zero_like")
                || c.get("name").asText().startsWith("top_p_uniform_boundary");

        new RepetitionPenalty((float) c.get("repetition_penalty").asDouble()).apply(logits, history);
        check(c.get("after_repetition_penalty"), logits, false);
        assertEquals(c.get("greedy_id_after_penalty").asInt(), Sampler.argmax(logits));
        new Temperature((float) c.get("temperature").asDouble()).apply(logits, history);
        check(c.get("after_temperature"), logits, false);
        if (c.get("top_k").asInt() > 0) {
            new TopK(c.get("top_k").asInt()).apply(logits, history);
        }
        check(c.get("after_top_k"), logits, false);
        if (c.get("top_p").asDouble() < 1) {
            new TopP((float) c.get("top_p").asDouble()).apply(logits, history);
        }
        check(c.get("after_top_p"), logits, countOnly);
        if (!countOnly) {
            double[] probabilities = Sampler.softmax(logits);
            for (int i = 0; i < probabilities.length; i++) {
                assertEquals(c.get("probs").get(i).asDouble(), probabilities[i], TOLERANCE, "probability " + i);
            }
        }
    }

    private static float[] floats(JsonNode list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i).isNull()
                    ? Float.NEGATIVE_INFINITY
                    : (float) list.get(i).asDouble();
        }
        return values;
    }

    private static void check(JsonNode expected, float[] logits, boolean countOnly) {
        float[] values = floats(expected);
        if (countOnly) {
            assertEquals(kept(values), kept(logits));
            return;
        }
        for (int i = 0; i < values.length; i++) {
            if (Float.isInfinite(values[i])) {
                assertEquals(values[i], logits[i], "logit " + i);
            } else {
                assertEquals(values[i], logits[i], TOLERANCE * Math.max(1, Math.abs(values[i])), "logit " + i);
            }
        }
    }

    private static int kept(float[] logits) {
        int kept = 0;
        for (float logit : logits) {
            kept += Float.isInfinite(logit) ? 0 : 1;
        }
        return kept;
    }
}
