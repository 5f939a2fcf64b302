// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;

/** The paragraphs of a text, which empty lines keep apart. */
final class Paragraphs implements Iterator<JsonNode> {
    private final BufferedReader lines;
    private Optional<String> next;

    Paragraphs(InputStream in) throws IOException {
        this.lines = new BufferedReader(new InputStreamReader(
                in,
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)));
        lines.mark(1);
        if (lines.read() != '\ufeff') {
            lines.reset();
        }
        this.next = paragraph();
    }

    private Optional<String> paragraph() throws IOException {
        StringBuilder text = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (!line.isBlank()) {
                text.append(text.isEmpty() ? "" : "\n").append(line);
            } else if (!text.isEmpty()) {
                break;
            }
        }
        return text.isEmpty() ? Optional.empty() : Optional.of(text.toString());
    }

    @Override
    public boolean hasNext() {
        return next.isPresent();
    }

    @Override
    public JsonNode next() {
        JsonNode record =
                JsonNodeFactory.instance.objectNode().put("data", next.orElseThrow(NoSuchElementException::new));
        try {
            next = paragraph();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return record;
    }
}
