// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.infer.GenerationOverrides.SamplingNumbers;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.ThinkingOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoublePredicate;

/**
 * What generation_config.json, or else config.json, says of generation. Numbers are not checked before they count: what is asked
 * for elsewhere comes first.
 *
 * @param file that says it
 * @param json its contents
 * @param maxNewTokens length of an answer at most
 * @param maxLength length of prompt and answer together at most
 * @param eosIds ids that end an answer
 */
record GenerationDefaults(
        Path file, JsonNode json, OptionalInt maxNewTokens, OptionalInt maxLength, Set<Integer> eosIds) {
    /** Keys that change which tokens come, and are not obeyed. */
    private static final KeyRules RULES = KeyRules.saying(
                    "'%s' is %s, which telechat does not do; --greedy does without what the file says of sampling, or"
                            + " remove it there")
            .only("typical_p", 1)
            .only("num_beams", 1)
            .only("num_beam_groups", 1)
            .only("encoder_repetition_penalty", 1)
            .only("guidance_scale", 1)
            .refuse(
                    "no_repeat_ngram_size",
                    "encoder_no_repeat_ngram_size",
                    "bad_words_ids",
                    "force_words_ids",
                    "forced_bos_token_id",
                    "forced_eos_token_id",
                    "forced_decoder_ids",
                    "suppress_tokens",
                    "begin_suppress_tokens",
                    "sequence_bias",
                    "constraints",
                    "penalty_alpha",
                    "epsilon_cutoff",
                    "eta_cutoff",
                    "exponential_decay_length_penalty",
                    "min_length",
                    "min_new_tokens",
                    "dola_layers",
                    "watermarking_config");

    /** Keys that say how tokens are chosen. */
    private static final List<String> CHOICE =
            List.of("do_sample", "temperature", "top_k", "top_p", "min_p", "repetition_penalty");

    static GenerationDefaults read(Path directory) {
        ModelFiles files = ModelFiles.of(directory);
        JsonNode config = files.json("config.json");
        boolean hasOwn = files.has("generation_config.json");
        String name = hasOwn ? "generation_config.json" : "config.json";
        JsonNode json = hasOwn ? withAdvice(files.json(name), config) : config;
        return new GenerationDefaults(
                files.path(name),
                json,
                positive(json.path("max_new_tokens")),
                positive(json.path("max_length")),
                eosIds(json.has("eos_token_id") ? json.path("eos_token_id") : config.path("eos_token_id")));
    }

    /**
     * TeleChat3's file was published without a word on how tokens are chosen; what its makers advise for general use stands on the
     * model's page. Always taking the likeliest, a model that thinks goes round in circles.
     */
    private static JsonNode withAdvice(JsonNode json, JsonNode config) {
        if (!config.path("model_type").asText().equals("telechat3")
                || CHOICE.stream().anyMatch(json::has)) {
            return json;
        }
        ObjectNode advised = json.deepCopy();
        return advised.put("do_sample", true)
                .put("temperature", 0.6)
                .put("top_p", 0.95)
                .put("top_k", 0)
                .put("repetition_penalty", 1.05);
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

    /**
     * The file's options with what is asked for in their place.
     *
     * @throws InvalidModelException if the file says something of sampling that is impossible or not done here, and it counts
     * @throws InvalidRequestException if what is asked for is impossible
     */
    GenerationOptions options(GenerationOverrides asked) {
        if (!asked.greedy()) {
            RULES.check(file, json);
        }
        boolean sample = json.path("do_sample").asBoolean(false);
        boolean drawn = asked.samples(sample);
        SamplingNumbers numbers = asked.greedy()
                ? SamplingNumbers.NEUTRAL
                : new SamplingNumbers(
                        sample,
                        number("temperature", 1, drawn && asked.temperature().isEmpty(), v -> v >= 0 && v <= 100),
                        topK(drawn && asked.topK().isEmpty()),
                        number("top_p", 1, drawn && asked.topP().isEmpty(), v -> v > 0 && v <= 1),
                        number("min_p", 0, drawn && asked.minP().isEmpty(), v -> v >= 0 && v <= 1),
                        number(
                                "repetition_penalty",
                                1,
                                asked.repetitionPenalty().isEmpty(),
                                v -> v > 0 && v <= 100));
        return new GenerationOptions(
                asked.over(numbers),
                0,
                OptionalInt.empty(),
                eosIds,
                stopStrings(),
                0,
                Map.of(),
                Optional.empty(),
                GenerationOptions.NO_LOGPROBS,
                ThinkingOptions.NONE);
    }

    /** A number of the file; where it does not count anyway, an impossible one is passed over. */
    private float number(String key, float fallback, boolean counts, DoublePredicate possible) {
        JsonNode value = json.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        boolean good = value.isNumber() && possible.test(value.doubleValue());
        if (!good && counts) {
            throw new InvalidModelException("%s: '%s' is %s, which is impossible", file, key, value);
        }
        return good ? (float) value.doubleValue() : fallback;
    }

    /** Many files say -1 where they mean all. */
    private int topK(boolean counts) {
        return Math.max(0, (int) number("top_k", 50, counts, v -> v >= -1 && v == Math.rint(v)));
    }

    /** A text or a list of them. */
    private List<String> stopStrings() {
        JsonNode node = json.path("stop_strings");
        List<String> texts = new ArrayList<>();
        if (node.isTextual()) {
            texts.add(node.asText());
        }
        node.forEach(text -> texts.add(text.asText()));
        if (texts.stream().anyMatch(String::isEmpty)) {
            throw new InvalidModelException("%s: 'stop_strings' holds an empty text", file);
        }
        return texts;
    }
}
