// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;

/** Schemas of strings and numbers, and the counts that they and others hold. */
final class ScalarSchema {
    private static final int MOST_REPEATS = 1_000_000;
    private static final int MOST_DIGITS = 30;

    private ScalarSchema() {}

    /** @param where in the schema, as a JSON pointer */
    static InvalidRequestException wrong(String where, String format, Object... args) {
        return new InvalidRequestException("the schema's %s: %s", where, Message.of(format, args));
    }

    static int count(JsonNode schema, String key, int otherwise, String where) {
        JsonNode value = schema.path(key);
        if (value.isMissingNode()) {
            return otherwise;
        }
        boolean whole =
                value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
        if (!whole || value.decimalValue().signum() < 0) {
            throw wrong(where, "%s must be a number of at least 0", key);
        }
        if (value.decimalValue().compareTo(BigDecimal.valueOf(MOST_REPEATS)) > 0) {
            throw wrong(where, "%s is more than %d", key, MOST_REPEATS);
        }
        return value.decimalValue().intValue();
    }

    static void requireOrder(int least, int most, String where, String what) {
        if (least > most) {
            throw wrong(where, "the least %s is above the most", what);
        }
    }

    static Node string(JsonNode schema, String where, Node next) {
        int least = count(schema, "minLength", 0, where);
        int most = count(schema, "maxLength", Node.Repeat.UNBOUNDED, where);
        requireOrder(least, most, where, "length");
        JsonNode pattern = schema.path("pattern");
        if (pattern.isMissingNode()) {
            return JsonGrammar.string(next, least, most);
        }
        if (!pattern.isTextual()) {
            throw wrong(where, "pattern must be a string");
        }
        if (schema.has("minLength") || schema.has("maxLength")) {
            throw wrong(where, "a length beside a pattern is not supported: let the pattern count");
        }
        return JsonGrammar.string(next, Regex.parse(pattern.textValue()));
    }

    static Node number(JsonNode schema, String where, Node next) {
        for (String key : List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")) {
            if (schema.has(key)) {
                throw wrong(where, "'%s' is supported for integers only", key);
            }
        }
        return JsonGrammar.number(next);
    }

    static Node integer(JsonNode schema, String where, Node next) {
        BigInteger least = bound(schema, "minimum", RoundingMode.CEILING, where);
        BigInteger above = bound(schema, "exclusiveMinimum", RoundingMode.FLOOR, where);
        BigInteger most = bound(schema, "maximum", RoundingMode.FLOOR, where);
        BigInteger below = bound(schema, "exclusiveMaximum", RoundingMode.CEILING, where);
        if (above != null) {
            least = least == null ? above.add(BigInteger.ONE) : least.max(above.add(BigInteger.ONE));
        }
        if (below != null) {
            most = most == null ? below.subtract(BigInteger.ONE) : most.min(below.subtract(BigInteger.ONE));
        }
        if (least == null && most == null) {
            return JsonGrammar.integer(next);
        }
        if (least != null && most != null && least.compareTo(most) > 0) {
            throw wrong(where, "no integer is between its bounds");
        }
        return JsonGrammar.integer(least, most, next);
    }

    private static BigInteger bound(JsonNode schema, String key, RoundingMode rounding, String where) {
        JsonNode value = schema.path(key);
        if (value.isMissingNode()) {
            return null;
        }
        if (!isModest(value)) {
            throw wrong(where, "%s must be a number", key);
        }
        return value.decimalValue().setScale(0, rounding).toBigInteger();
    }

    /** A number of no more digits than anyone writes: others take for ever to compute with. */
    private static boolean isModest(JsonNode value) {
        return value.isNumber()
                && Math.abs((long) value.decimalValue().scale()) <= MOST_DIGITS
                && value.decimalValue().precision() <= MOST_DIGITS;
    }
}
