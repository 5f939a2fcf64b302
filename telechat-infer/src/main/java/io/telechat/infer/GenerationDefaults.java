// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.infer.sampling.SamplingOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoublePredicate;

/**
 * What generation_config.json and config.json say of generation.
 *
 * @param sampling as the file has it: all published models say {@code do_sample: false}, so only the penalty acts
 * @param maxNewTokens length of an answer at most
 * @param maxLength length of prompt and answer together at most
 * @param eosIds ids that end an answer
 */
record GenerationDefaults(
        SamplingOptions sampling, OptionalInt maxNewTokens, OptionalInt maxLength, Set<Integer> eosIds) {

    static GenerationDefaults read(Path directory) {
        JsonNode config = JsonFiles.readObject(directory.resolve("config.json"));
        Path own = directory.resolve("generation_config.json");
        Path file = Files.exists(own) ? own : directory.resolve("config.json");
        JsonNode json = Files.exists(own) ? JsonFiles.readObject(own) : config;
        boolean sample = json.path("do_sample").asBoolean(false);
        try {
            SamplingOptions sampling = new SamplingOptions(
                    sample,
                    number(json, "temperature", 1, sample, v -> v >= 0),
                    (int) number(json, "top_k", 50, sample, v -> v >= 0),
                    number(json, "top_p", 1, sample, v -> v > 0 && v <= 1),
                    number(json, "min_p", 0, sample, v -> v >= 0 && v <= 1),
                    number(json, "repetition_penalty", 1, true, v -> true),
                    0,
                    0);
            return new GenerationDefaults(
                    sampling,
                    positive(json.path("max_new_tokens")),
                    positive(json.path("max_length")),
                    eosIds(json.has("eos_token_id") ? json.path("eos_token_id") : config.path("eos_token_id")));
        } catch (InvalidRequestException e) {
            throw new InvalidModelException("%s: %s".formatted(file, e.getMessage()), e);
        }
    }

    /** A value of the file; if it has no effect anyway because nothing is drawn, an impossible one is passed over. */
    private static float number(JsonNode json, String key, float fallback, boolean matters, DoublePredicate possible) {
        if (json.hasNonNull(key) && !json.get(key).isNumber()) {
            throw new InvalidRequestException("'%s' is %s, must be a number".formatted(key, json.get(key)));
        }
        float value = (float) json.path(key).asDouble(fallback);
        return matters || possible.test(value) ? value : fallback;
    }

    private static OptionalInt positive(JsonNode node) {
        return node.isInt() && node.intValue() > 0 ? OptionalInt.of(node.intValue()) : OptionalInt.empty();
    }

    private static Set<Integer> eosIds(JsonNode node) {
        Set<Integer> ids = new TreeSet<>();
        if (node.isInt()) {
            ids.add(node.intValue());
        }
        node.forEach(id -> {
            if (id.isInt()) {
                ids.add(id.intValue());
            }
        });
        return ids;
    }

    GenerationOptions options() {
        return new GenerationOptions(
                sampling, 0, OptionalInt.empty(), eosIds, List.of(), GenerationOptions.NO_LOGPROBS);
    }
}
