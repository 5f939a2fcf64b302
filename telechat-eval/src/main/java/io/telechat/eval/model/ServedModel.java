// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidRequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a server says of one of its models, in the list at {@code models}.
 *
 * @param name as requests give it
 * @param contextLength tokens of prompt and answer at most, if it says so
 * @param hasRepetitionPenalty whether requests may have a {@code repetition_penalty}, which OpenAI's must not
 */
public record ServedModel(String name, OptionalInt contextLength, boolean hasRepetitionPenalty) {
    private static final Set<String> WITH_REPETITION_PENALTY = Set.of("telechat", "vllm", "sglang");

    /**
     * Looks it up.
     *
     * @param name of the model; empty for the only one of the server
     * @throws InvalidRequestException if no name is given, and the server has several models or none
     */
    public static ServedModel find(OpenAiClient client, Optional<String> name) {
        List<JsonNode> cards = cards(client, name.isPresent());
        if (name.isPresent()) {
            return cards.stream()
                    .filter(card -> card.path("id").asText().equals(name.get()))
                    .findFirst()
                    .map(ServedModel::of)
                    .orElse(new ServedModel(
                            name.get(), OptionalInt.empty(), false)); // requests tell whether it is there
        }
        if (cards.size() != 1) {
            throw new InvalidRequestException(
                    "the server has %d models: which? (--model NAME, of a judge --judge-model NAME) %s",
                    cards.size(),
                    cards.stream().map(card -> card.path("id").asText()).collect(Collectors.joining(", ")));
        }
        return of(cards.getFirst());
    }

    private static ServedModel of(JsonNode card) {
        JsonNode length = card.path("max_model_len");
        return new ServedModel(
                card.path("id").asText(),
                length.isInt() ? OptionalInt.of(length.intValue()) : OptionalInt.empty(),
                WITH_REPETITION_PENALTY.contains(card.path("owned_by").asText()));
    }

    /** @param optional whether a server need not have a list */
    private static List<JsonNode> cards(OpenAiClient client, boolean optional) {
        try {
            List<JsonNode> cards = new ArrayList<>();
            client.get("models").path("data").forEach(cards::add);
            return cards;
        } catch (InvalidRequestException e) {
            if (optional) {
                return List.of();
            }
            throw e;
        }
    }
}
