// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.TextFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** JSON objects, one on a line; lines end at line feeds only, since texts hold other line ends. */
public final class JsonLines {
    private JsonLines() {}

    /**
     * All of a file; blank lines count for nothing.
     *
     * @param file perhaps compressed by gzip, if its name ends with {@code .gz}
     * @throws InvalidInputException if it cannot be read, or a line is not an object
     */
    public static List<JsonNode> read(Path file) {
        return rows(file).stream().map(JsonRow::fields).toList();
    }

    /** Likewise, with their places. */
    public static List<JsonRow> rows(Path file) {
        String text = file.toString().endsWith(".gz") ? unzipped(file) : TextFiles.read(file);
        return rows(file.toString(), text);
    }

    /** Likewise, of a text; {@code source} names it in messages. */
    public static List<JsonNode> parse(String source, String text) {
        return rows(source, text).stream().map(JsonRow::fields).toList();
    }

    /** Likewise, with their places. */
    public static List<JsonRow> rows(String source, String text) {
        List<JsonRow> rows = new ArrayList<>();
        int line = 0;
        for (String one : text.split("\n", -1)) {
            line++;
            if (!one.isBlank()) {
                String place = Message.of("%s line %d", source, line).localized();
                JsonNode row = JsonFiles.parse(place, one);
                if (!row.isObject()) {
                    throw new InvalidInputException("%s: is not a JSON object", place);
                }
                rows.add(new JsonRow(place, row));
            }
        }
        return rows;
    }

    private static String unzipped(Path file) {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
            return TextFiles.decode(file.toString(), in.readAllBytes(), 0);
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be read: %s", file, IoReason.of(e));
        }
    }
}
