// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** The elements of JSON arrays, and objects beside them, in any layout; only one is in memory at a time. */
final class JsonRecords implements Iterator<JsonNode> {
    private final JsonParser parser;
    private JsonToken next;

    JsonRecords(InputStream in) throws IOException {
        this.parser = LineJson.READER.createParser(in);
        advance();
    }

    /** To the beginning of a record. */
    private void advance() throws IOException {
        do {
            next = parser.nextToken();
        } while (next == JsonToken.END_ARRAY
                || next == JsonToken.START_ARRAY
                        && parser.getParsingContext().getParent().inRoot());
    }

    @Override
    public boolean hasNext() {
        return next != null;
    }

    @Override
    public JsonNode next() {
        if (next == null) {
            throw new NoSuchElementException();
        }
        try {
            JsonNode record = LineJson.TREES.readTree(parser);
            advance();
            return record;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
