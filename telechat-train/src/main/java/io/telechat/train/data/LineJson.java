// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.JsonReason;
import io.telechat.train.data.BadLineException.Reason;
import java.io.IOException;

/** A line of a data file as JSON. */
final class LineJson {
    static final ObjectReader READER = new ObjectMapper(JsonFactory.builder()
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .reader();

    /** For one value of several. */
    static final ObjectReader TREES = READER.without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private LineJson() {}

    /** @throws BadLineException if these bytes are no JSON object */
    static JsonNode object(byte[] line, int from, int to) throws BadLineException {
        JsonNode node;
        try {
            node = READER.readTree(line, from, to - from);
        } catch (JsonProcessingException e) {
            throw new BadLineException(Reason.MALFORMED_JSON, wholeValue(line, from, e));
        } catch (IOException e) {
            throw new BadLineException(Reason.MALFORMED_JSON, Message.of("not UTF-8"));
        }
        if (node == null || !node.isObject()) {
            throw new BadLineException(
                    Reason.MALFORMED_JSON, node != null && node.isArray() ? ARRAY : Message.of("not an object"));
        }
        return node;
    }

    private static final Message ARRAY =
            Message.of("it begins a JSON array; one dialog per line is needed, for example with jq -c '.[]' FILE");
    private static final Message INDENTED =
            Message.of("it begins indented JSON; one dialog per line is needed, for example with jq -c . FILE");

    /** A line that a value begins on and does not end is of a file that is one value, which is what there is to say. */
    private static Message wholeValue(byte[] line, int from, JsonProcessingException e) {
        if (e.getOriginalMessage().contains("end-of-input")) {
            int first = from;
            while (first < line.length && (line[first] == ' ' || line[first] == '\t' || line[first] < 0)) {
                first++; // the byte order mark, too
            }
            if (first < line.length && line[first] == '[') {
                return ARRAY;
            }
            if (first < line.length && line[first] == '{') {
                return INDENTED;
            }
        }
        return JsonReason.of(e);
    }

    /** @throws BadLineException if the field is missing, or no text */
    static String text(JsonNode line, String field) throws BadLineException {
        JsonNode value = line.get(field);
        if (value == null || !value.isTextual()) {
            throw new BadLineException(Reason.MISSING_FIELDS, Message.of("%s is not a string", field));
        }
        return value.textValue();
    }
}
