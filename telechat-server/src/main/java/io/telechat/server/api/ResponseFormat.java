// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.infer.grammar.Grammar;
import io.telechat.infer.grammar.JsonSchema;
import io.telechat.infer.tools.Tools;
import java.util.Optional;

/** The field {@code response_format}. A schema is always kept to, whatever its {@code strict} says. */
final class ResponseFormat {
    private ResponseFormat() {}

    /** What the answer has to be: a forced call comes before a format. */
    static Optional<Grammar> read(Fields request, Tools tools) {
        try {
            Optional<Grammar> format = request.get("response_format").flatMap(ResponseFormat::grammar);
            Optional<Grammar> call = tools.grammar();
            return call.isPresent() ? call : format;
        } catch (InvalidRequestException e) {
            throw ApiException.invalid("response_format", "%s", e.getMessage());
        }
    }

    private static Optional<Grammar> grammar(JsonNode format) {
        String type = format.path("type").isTextual() ? format.get("type").textValue() : "";
        return switch (type) {
            case "text" -> Optional.empty();
            case "json_object" -> Optional.of(JsonSchema.anyObject());
            case "json_schema" -> {
                JsonNode schema = format.path("json_schema").path("schema");
                if (schema.isMissingNode()) {
                    throw ApiException.invalid("response_format", "response_format.json_schema.schema is missing");
                }
                yield Optional.of(JsonSchema.compile(schema));
            }
            default ->
                throw ApiException.invalid(
                        "response_format", "response_format.type must be text, json_object or json_schema");
        };
    }
}
