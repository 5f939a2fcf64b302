// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;
import java.util.TreeSet;

/** Which keywords of a schema restrict what keeps to it, and which are only notes. */
final class SchemaKeywords {
    private SchemaKeywords() {}

    /** Keywords that restrict nothing. */
    static final Set<String> NOTES = Set.of(
            "title",
            "description",
            "default",
            "examples",
            "example",
            "$schema",
            "$id",
            "$comment",
            "$defs",
            "definitions",
            "deprecated",
            "readOnly",
            "writeOnly",
            "format",
            "strict",
            "nullable",
            "discriminator",
            "contentMediaType",
            "contentEncoding");

    private static final Set<String> KNOWN = Set.of(
            "type",
            "properties",
            "required",
            "additionalProperties",
            "enum",
            "const",
            "items",
            "minItems",
            "maxItems",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minLength",
            "maxLength",
            "pattern",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref",
            "minProperties",
            "maxProperties");

    static void requireKnown(JsonNode schema, String where) {
        Set<String> unknown = new TreeSet<>();
        schema.fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(KNOWN);
        unknown.removeAll(NOTES);
        if (schema.path("uniqueItems").isBoolean() && !schema.get("uniqueItems").booleanValue()) {
            unknown.remove("uniqueItems");
        }
        if (!unknown.isEmpty()) {
            throw ScalarSchema.wrong(where, "'%s' is not supported", String.join("', '", unknown));
        }
    }

    /** Nothing that restricts may stand beside a keyword that says all. */
    static void requireAlone(JsonNode schema, String key, String where, String... allowed) {
        Set<String> beside = new TreeSet<>();
        schema.fieldNames().forEachRemaining(beside::add);
        beside.removeAll(NOTES);
        beside.removeAll(Set.of(allowed));
        beside.remove(key);
        if (!beside.isEmpty()) {
            throw ScalarSchema.wrong(where, "'%s' beside %s is not supported", String.join("', '", beside), key);
        }
    }
}
