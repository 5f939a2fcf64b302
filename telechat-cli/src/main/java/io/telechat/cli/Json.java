// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.TextFiles;
import io.telechat.infer.generation.Generation;
import java.nio.file.Path;

/** What the command line reads and prints as JSON. */
final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** A record as JSON. */
    static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    /**
     * A value on one line, whoever splits the lines: characters that some programs take for line ends are escaped.
     */
    static String line(JsonNode value) {
        return value.toString()
                .replace("\u0085", "\\u0085")
                .replace("\u2028", "\\u2028")
                .replace("\u2029", "\\u2029");
    }

    /** @throws io.telechat.core.InvalidInputException if the file cannot be read, or is not JSON */
    static JsonNode read(Path file) {
        return JsonFiles.parse(file.toString(), TextFiles.read(file));
    }

    static ObjectNode generation(Generation generation, long seed) {
        ObjectNode json = object();
        ArrayNode tokens = json.putArray("tokens");
        generation.tokens().forEach(tokens::add);
        json.put("text", generation.text());
        if (!generation.thinking().isEmpty()) {
            json.put("thinking", generation.thinking());
        }
        json.put("finish_reason", generation.finishReason().lowerCase());
        ObjectNode usage = json.putObject("usage")
                .put("prompt_tokens", generation.usage().promptTokens())
                .put("completion_tokens", generation.usage().completionTokens())
                .put(
                        "total_tokens",
                        generation.usage().promptTokens() + generation.usage().completionTokens())
                .put("cached_tokens", generation.usage().cachedTokens())
                .put("dropped_turns", generation.usage().droppedTurns());
        if (generation.usage().thinkingTokens() > 0) {
            usage.put("thinking_tokens", generation.usage().thinkingTokens());
        }
        json.putObject("timings")
                .put("prompt_seconds", generation.timings().promptSeconds())
                .put("generation_seconds", generation.timings().generationSeconds())
                .put("tokens_per_second", generation.tokensPerSecond());
        json.put("seed", seed);
        if (!generation.logprobs().isEmpty()) {
            ArrayNode logprobs = json.putArray("logprobs");
            generation.logprobs().forEach(l -> logprobs.add(logprob(l)));
        }
        return json;
    }

    static ObjectNode logprob(Generation.TokenLogprob logprob) {
        ObjectNode json = object().put("id", logprob.id()).put("logprob", logprob.logprob());
        ArrayNode top = json.putArray("top");
        logprob.alternatives().forEach(a -> top.addObject().put("id", a.id()).put("logprob", a.logprob()));
        return json;
    }
}
