// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** JSON from files that we did not write: duplicates refused, depth and sizes bounded. */
public final class JsonFiles {
    private static final int MAX_BYTES = 100_000_000;
    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(100)
                    .maxNumberLength(100)
                    .maxStringLength(MAX_BYTES)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build());

    private JsonFiles() {}

    /** @throws InvalidModelException if the file is missing, too long, or not a JSON object */
    public static JsonNode readObject(Path path) {
        try {
            requireRegular(path);
            if (Files.size(path) > MAX_BYTES) {
                throw new InvalidModelException(
                        "%s: %,d bytes is too long for a JSON file of a checkpoint".formatted(path, Files.size(path)));
            }
            return parseObject(path, Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            throw new InvalidModelException("%s: file is missing".formatted(path), e);
        } catch (IOException e) {
            throw new InvalidModelException("%s: cannot be read: %s".formatted(path, IoReason.of(e)), e);
        }
    }

    /** Pipes and devices would be waited for. */
    static void requireRegular(Path path) {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new InvalidModelException("%s: is not a file".formatted(path));
        }
    }

    /** @param source the file to name in complaints */
    static JsonNode parseObject(Path source, byte[] bytes) {
        try {
            JsonNode node = MAPPER.readTree(bytes);
            if (node == null || !node.isObject()) {
                throw new InvalidModelException("%s: is not a JSON object".formatted(source));
            }
            return node;
        } catch (JsonProcessingException e) {
            // The parser's own hints are for those who configure it.
            String reason = e.getOriginalMessage()
                    .lines()
                    .findFirst()
                    .filter(r -> !r.contains("Feature") && !r.contains("StreamReadConstraints"))
                    .orElse("a value is too deep, too long, or no JSON value");
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
            throw new InvalidModelException(
                    "%s: not valid JSON%s: %s".formatted(source, line < 1 ? "" : " at line " + line, shorten(reason)),
                    e);
        } catch (IOException e) {
            throw new InvalidModelException("%s: cannot be read: %s".formatted(source, IoReason.of(e)), e);
        }
    }

    private static String shorten(String text) {
        return text.length() <= 120 ? text : text.substring(0, 120) + "…";
    }
}
