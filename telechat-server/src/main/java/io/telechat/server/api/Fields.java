// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The fields of a request. Null is the same as nothing; what is there must be of the right type and in its range. */
record Fields(ObjectNode json) {
    private static final int LONGEST_SALT = 256;

    Optional<JsonNode> get(String name) {
        return Optional.ofNullable(json.get(name)).filter(value -> !value.isNull());
    }

    boolean flag(String name) {
        return get(name)
                .map(value -> {
                    if (!value.isBoolean()) {
                        throw ApiException.invalid(name, "%s must be true or false", name);
                    }
                    return value.booleanValue();
                })
                .orElse(false);
    }

    Optional<String> text(String name) {
        return get(name).map(value -> {
            if (!value.isTextual()) {
                throw ApiException.invalid(name, "%s must be a string", name);
            }
            return value.textValue();
        });
    }

    /** Only requests of the same salt share what has been computed of their prompts. */
    String salt() {
        String salt = text("cache_salt").orElse("");
        if (salt.length() > LONGEST_SALT) {
            throw ApiException.invalid("cache_salt", "cache_salt must have at most %d characters", LONGEST_SALT);
        }
        return salt;
    }

    Optional<Long> integer(String name, long least, long most) {
        return get(name).map(value -> {
            if (!value.isIntegralNumber()
                    || !value.canConvertToLong()
                    || value.longValue() < least
                    || value.longValue() > most) {
                throw ApiException.invalid(name, "%s must be an integer from %d to %d", name, least, most);
            }
            return value.longValue();
        });
    }

    Optional<Integer> count(String name, int least, int most) {
        return integer(name, least, most).map(Math::toIntExact);
    }

    Optional<Float> number(String name, double least, double most) {
        return get(name).map(value -> number(name, value, least, most));
    }

    static float number(String name, JsonNode value, double least, double most) {
        // Digits that no double could hold are compared as they are.
        if (!value.isNumber()
                || value.decimalValue().compareTo(BigDecimal.valueOf(least)) < 0
                || value.decimalValue().compareTo(BigDecimal.valueOf(most)) > 0) {
            throw ApiException.invalid(name, "%s must be a number from %s to %s", name, least, most);
        }
        return value.floatValue();
    }

    /** A string, or a list of at most so many. */
    List<String> texts(String name, int most) {
        List<String> texts = new ArrayList<>();
        get(name).ifPresent(value -> {
            List<JsonNode> all =
                    value.isArray() ? List.copyOf(value.valueStream().toList()) : List.of(value);
            if (all.size() > most || !all.stream().allMatch(JsonNode::isTextual)) {
                throw ApiException.invalid(name, "%s must be a string, or at most %d of them", name, most);
            }
            all.forEach(text -> texts.add(text.textValue()));
        });
        return texts;
    }
}
