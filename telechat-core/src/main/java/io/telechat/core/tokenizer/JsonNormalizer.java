// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.Message;
import java.text.Normalizer;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the normalizer of a tokenizer.json. */
record JsonNormalizer(JsonSteps json) {
    UnaryOperator<String> read(JsonNode part) {
        UnaryOperator<String> all = UnaryOperator.identity();
        for (JsonNode step : json.steps(part, "normalizers")) {
            UnaryOperator<String> before = all;
            UnaryOperator<String> next = step(step);
            all = text -> next.apply(before.apply(text));
        }
        return all;
    }

    private UnaryOperator<String> step(JsonNode step) {
        return switch (json.type(step)) {
            case "NFC" -> Normalization.of(Normalizer.Form.NFC);
            case "NFD" -> Normalization.of(Normalizer.Form.NFD);
            case "NFKC" -> Normalization.of(Normalizer.Form.NFKC);
            case "NFKD" -> Normalization.of(Normalizer.Form.NFKD);
            case "Lowercase" -> Normalization::lowerCase;
            case "Strip" -> {
                boolean left = step.path("strip_left").asBoolean();
                boolean right = step.path("strip_right").asBoolean();
                yield text -> Normalization.strip(text, left, right);
            }
            case "Prepend" -> {
                String prefix = json.text(step.path("prepend"), "prepend");
                yield text -> text.isEmpty() ? text : prefix + text;
            }
            case "Replace" -> replace(step);
            default -> throw json.refused(Message.of("its normalizer has a step %s", step.path("type")));
        };
    }

    private UnaryOperator<String> replace(JsonNode step) {
        Pattern pattern = json.pattern(step);
        String content = step.path("content").asText();
        if (json.regex(step).isEmpty()) {
            return text -> text.replace(pattern.pattern(), content);
        }
        String quoted = Matcher.quoteReplacement(content);
        return text -> PatternSplit.guarded(
                json.path(),
                text,
                0,
                text.length(),
                bounded -> pattern.matcher(bounded).replaceAll(quoted));
    }
}
