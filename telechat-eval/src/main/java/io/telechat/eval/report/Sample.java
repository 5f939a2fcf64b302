// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.checkpoint.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A document with what a model said of it.
 *
 * @param part its subtask, or the task if that has none
 * @param id its place in the subtask
 * @param prompt what the model was shown, turns of a conversation one below the other
 * @param rest its line of the samples without the prompt
 */
record Sample(String part, int id, String prompt, JsonNode rest) {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int LONGEST = 20_000;
    private static final String CUT = "…";
    private static final List<String> OF_ANSWER =
            List.of("metrics", "loglikelihoods", "choice", "choice_norm", "response", "extracted");

    /** Of all its scores together. */
    enum Verdict {
        WRONG,
        /** Right by one metric and not by another, or in part. */
        PARTLY,
        UNSCORED,
        RIGHT
    }

    /** Names a document within its task. */
    record Key(String part, int id) {}

    Key key() {
        return new Key(part, id);
    }

    /** Those that were not determined are left out. */
    Map<String, Double> metrics() {
        Map<String, Double> metrics = new LinkedHashMap<>();
        rest.path("metrics").properties().forEach(metric -> {
            if (metric.getValue().isNumber()) {
                metrics.put(metric.getKey(), metric.getValue().doubleValue());
            }
        });
        return metrics;
    }

    Verdict verdict() {
        Map<String, Double> metrics = metrics();
        if (metrics.isEmpty()) {
            return Verdict.UNSCORED;
        }
        if (metrics.values().stream().allMatch(v -> v == 0)) {
            return Verdict.WRONG;
        }
        return metrics.values().stream().allMatch(v -> v == 1) ? Verdict.RIGHT : Verdict.PARTLY;
    }

    /** The same for two samples only if the same was asked, and the same is right. */
    String fingerprint() {
        ArrayNode asked = MAPPER.createArrayNode();
        asked.add(prompt).add(rest.path("continuations")).add(rest.path("gold"));
        byte[] bytes = asked.toString().getBytes(StandardCharsets.UTF_8);
        return HexFormat.of().formatHex(Sha256.digest().digest(bytes));
    }

    /** What counts of the answer: what was chosen, or what was read out of a response. */
    JsonNode answer() {
        ObjectNode answer = MAPPER.createObjectNode();
        if (rest.has("choice")) {
            answer.set("choice", rest.get("choice"));
            if (rest.path("metrics").has("acc_norm,none")) {
                answer.set("choice_norm", rest.path("choice_norm"));
            }
        } else {
            answer.set("extracted", rest.path("extracted"));
        }
        return answer;
    }

    /** The question as pages show it. */
    ObjectNode question() {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("part", part);
        json.put("id", id);
        json.put(
                "prompt",
                prompt.length() > LONGEST
                        ? CUT + prompt.substring(prompt.length() - LONGEST)
                        : prompt); // its end matters
        if (rest.path("continuations").isArray()) {
            json.set("options", bounded(rest.get("continuations")));
            ArrayNode right = json.putArray("right");
            JsonNode gold = rest.path("gold");
            if (gold.isArray()) {
                gold.forEach(right::add);
            } else {
                right.add(gold);
            }
        } else {
            json.put("gold", bounded(rest.path("gold")).asText());
        }
        json.putArray("answers");
        return json;
    }

    /** The answer as pages show it. */
    ObjectNode shown() {
        ObjectNode json = MAPPER.createObjectNode();
        for (String name : OF_ANSWER) {
            if (rest.has(name)) {
                json.set(name, bounded(rest.get(name)));
            }
        }
        return json;
    }

    private static JsonNode bounded(JsonNode value) {
        if (value.isTextual() && value.textValue().length() > LONGEST) {
            return MAPPER.getNodeFactory().textNode(value.textValue().substring(0, LONGEST) + CUT);
        }
        if (value.isArray()) {
            ArrayNode all = MAPPER.createArrayNode();
            value.forEach(one -> all.add(bounded(one)));
            return all;
        }
        if (value.isObject()) {
            ObjectNode all = MAPPER.createObjectNode();
            value.properties().forEach(one -> all.set(one.getKey(), bounded(one.getValue())));
            return all;
        }
        return value;
    }
}
