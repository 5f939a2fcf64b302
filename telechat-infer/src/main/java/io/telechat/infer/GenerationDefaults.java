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
        Path file = directory.resolve("generation_config.json");
        JsonNode config = JsonFiles.readObject(directory.resolve("config.json"));
        JsonNode json = Files.exists(file) ? JsonFiles.readObject(file) : config.path("generation_config");
        try {
            SamplingOptions sampling = new SamplingOptions(
                    json.path("do_sample").asBoolean(false),
                    (float) json.path("temperature").asDouble(1),
                    json.path("top_k").asInt(50),
                    (float) json.path("top_p").asDouble(1),
                    (float) json.path("min_p").asDouble(0),
                    (float) json.path("repetition_penalty").asDouble(1),
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

    private static OptionalInt positive(JsonNode node) {
        return node.isInt() && node.intValue() > 0 ? OptionalInt.of(node.intValue()) : OptionalInt.empty();
    }

    private static Set<Integer> eosIds(JsonNode node) {
        Set<Integer> ids = new TreeSet<>();
        if (node.isInt()) {
            ids.add(node.intValue());
        }
        node.forEach(id -> ids.add(id.asInt()));
        return ids;
    }

    GenerationOptions options() {
        return new GenerationOptions(
                sampling, 0, OptionalInt.empty(), eosIds, List.of(), GenerationOptions.NO_LOGPROBS);
    }
}
