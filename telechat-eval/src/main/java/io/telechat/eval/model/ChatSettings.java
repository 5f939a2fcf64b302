// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidRequestException;
import java.util.Optional;

/**
 * How a conversation is answered.
 *
 * @param maxNewTokens length of thoughts and answer at most
 * @param temperature 0 for the likeliest token always
 * @param seed of the random draw
 * @param schema that the answer keeps to, where the model is in this process; servers differ in what they make of one, and are not
 *     sent it
 */
public record ChatSettings(int maxNewTokens, double temperature, long seed, Optional<JsonNode> schema) {
    public ChatSettings {
        if (maxNewTokens < 1) {
            throw new InvalidRequestException("max new tokens is %d, must be at least 1", maxNewTokens);
        }
        if (!(temperature >= 0 && temperature <= 2)) {
            throw new InvalidRequestException("temperature is %s, must be from 0 to 2", temperature);
        }
    }

    public ChatSettings withSchema(JsonNode form) {
        return new ChatSettings(maxNewTokens, temperature, seed, Optional.of(form));
    }

    /** Drawn at random. */
    public ChatSettings drawn(double heat, long number) {
        return new ChatSettings(maxNewTokens, heat, number, schema);
    }
}
