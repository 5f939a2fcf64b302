// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * JSON from files that we did not write: duplicates and text behind the JSON refused, depth and sizes bounded. Numbers may be
 * NaN and infinite, as Python writes them; whoever needs a number has to look.
 */
public final class JsonFiles {
    private static final int MAX_BYTES = 100_000_000;
    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(100)
                            .maxNumberLength(100)
                            .maxStringLength(MAX_BYTES)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private JsonFiles() {}

    /** @throws InvalidModelException if the file is missing, too long, or not a JSON object */
    public static JsonNode readObject(Path path) {
        try {
            requireRegular(path);
            if (Files.size(path) > MAX_BYTES) {
                throw new InvalidModelException(
                        "%s: %,d bytes is too long for a JSON file of a checkpoint", path, Files.size(path));
            }
            byte[] bytes = Files.readAllBytes(path);
            Downloads.complaint(bytes).ifPresent(what -> {
                throw new InvalidModelException("%s: %s", path, what);
            });
            return parseObject(path, bytes);
        } catch (NoSuchFileException e) {
            throw new InvalidModelException(e, "%s: file is missing", path);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", path, IoReason.of(e));
        }
    }

    /** Pipes and devices would be waited for. */
    static void requireRegular(Path path) {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new InvalidModelException("%s: is not a file", path);
        }
    }

    /** @param source the file to name in complaints */
    static JsonNode parseObject(Path source, byte[] bytes) {
        try {
            JsonNode node = MAPPER.readTree(bytes);
            if (node == null || !node.isObject()) {
                throw new InvalidModelException("%s: is not a JSON object", source);
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new InvalidModelException(e, "%s: not valid JSON%s: %s", source, line(e), JsonReason.of(e));
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", source, IoReason.of(e));
        }
    }

    /**
     * Any JSON value of a text that people give.
     *
     * @param source to name in complaints
     * @throws InvalidInputException if it is empty, or not JSON
     */
    public static JsonNode parse(String source, String text) {
        try {
            JsonNode node = MAPPER.readTree(TextFiles.withoutMark(text));
            if (node == null || node.isMissingNode()) {
                throw new InvalidInputException("%s: empty, expected JSON", source);
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new InvalidInputException(e, "%s: not valid JSON%s: %s", source, line(e), JsonReason.of(e));
        }
    }

    private static Message line(JsonProcessingException e) {
        int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
        return line < 1 ? Message.of("") : Message.of(" at line %d", line);
    }
}
