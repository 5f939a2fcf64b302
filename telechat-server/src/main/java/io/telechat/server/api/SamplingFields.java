// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.ChatModel;
import io.telechat.infer.GenerationOverrides;
import io.telechat.infer.generation.GenerationOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/** What chat and completions have in common: how tokens are chosen, and what ends them. */
final class SamplingFields {
    private static final int MOST_STOPS = 16;
    private static final int MOST_CHOICES = 16;

    private final Fields request;
    private final ChatModel model;

    SamplingFields(Fields request, ChatModel model) {
        this.request = request;
        this.model = model;
    }

    /** How many answers to give to one prompt. */
    int choices() {
        return request.count("n", 1, MOST_CHOICES).orElse(1);
    }

    /**
     * The options of the first answer.
     *
     * @param length of the answer at most; nothing for the model's default
     * @param templateStops ids and texts that end an answer of the chat format
     * @param logprobs how many alternatives to tell; {@link GenerationOptions#NO_LOGPROBS} for none at all
     */
    GenerationOptions options(Optional<Integer> length, Set<Integer> stopIds, List<String> stopTexts, int logprobs) {
        Optional<Long> topK = request.integer("top_k", -1, Integer.MAX_VALUE);
        GenerationOverrides asked = new GenerationOverrides(
                false,
                Optional.empty(),
                request.number("temperature", 0, 100),
                topK.map(k -> (int) Math.max(0, k)),
                request.number("top_p", 0, 1).map(p -> Math.max(p, Float.MIN_NORMAL)),
                request.number("min_p", 0, 1),
                request.number("repetition_penalty", 0.01, 100),
                request.number("presence_penalty", -2, 2),
                request.number("frequency_penalty", -2, 2));
        GenerationOptions defaults = model.defaults(asked);
        GenerationOptions ending = request.flag("ignore_eos")
                ? defaults.withStops(Set.of(), List.of())
                : defaults.alsoEndingWith(stopIds, stopTexts);
        int context = model.contextLength();
        GenerationOptions options = ending.alsoEndingWith(ids("stop_token_ids"), stops())
                .withSeed(request.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE)
                        .orElseGet(() -> ThreadLocalRandom.current().nextLong()))
                .withMinNewTokens(request.count("min_tokens", 0, context).orElse(0))
                .withLogitBias(logitBias())
                .withLogprobs(logprobs);
        return length.isPresent() ? options.withMaxNewTokens(length.get()) : options;
    }

    private List<String> stops() {
        List<String> stops = request.texts("stop", MOST_STOPS);
        if (stops.stream().anyMatch(String::isEmpty)) {
            throw ApiException.invalid("stop", "a stop must not be empty");
        }
        return stops;
    }

    private List<Integer> ids(String name) {
        List<Integer> ids = new ArrayList<>();
        request.get(name).ifPresent(value -> {
            if (!value.isArray()) {
                throw ApiException.invalid(name, "%s must be a list of token ids", name);
            }
            value.forEach(id -> ids.add(id(name, id)));
        });
        return ids;
    }

    private int id(String name, JsonNode value) {
        if (!value.isInt() || !has(value.intValue())) {
            throw ApiException.invalid(name, "%s names %s, which is no token of this model", name, value);
        }
        return value.intValue();
    }

    private boolean has(int id) {
        Tokenizer tokenizer = model.tokenizer();
        return id >= 0 && id < Math.min(tokenizer.size(), model.info().vocabSize());
    }

    private Map<Integer, Float> logitBias() {
        Map<Integer, Float> biases = new HashMap<>();
        request.get("logit_bias").ifPresent(value -> {
            if (!value.isObject()) {
                throw ApiException.invalid("logit_bias", "logit_bias must be an object of token ids and numbers");
            }
            value.properties().forEach(entry -> {
                String key = entry.getKey();
                if (!key.matches("\\d{1,9}") || !has(Integer.parseInt(key))) {
                    throw ApiException.invalid("logit_bias", "logit_bias has a key that is no token id of this model");
                }
                biases.put(Integer.parseInt(key), Fields.number("logit_bias", entry.getValue(), -100, 100));
            });
        });
        return biases;
    }

    /** The seed of one of several answers. */
    static long seed(long first, int index) {
        return index == 0 ? first : first + index * 0x9e3779b97f4a7c15L;
    }
}
