// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** What a run leaves behind: a file gets its name when it is whole. */
public final class OutputFiles {
    private OutputFiles() {}

    /** Writes all of a file. */
    @FunctionalInterface
    interface Content {
        void to(FileChannel out) throws IOException;
    }

    /**
     * Makes a directory, if it is not there.
     *
     * @throws InvalidInputException if it cannot be made
     */
    public static void makeDirectory(Path directory) {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be made: %s", directory, IoReason.of(e));
        }
    }

    /**
     * Writes JSON for people and programs, instead of what was there.
     *
     * @throws InvalidInputException if it cannot be written
     */
    public static void write(Path file, JsonNode json) {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(json.toPrettyString() + "\n");
        write(file, out -> {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        });
    }

    /** @throws InvalidInputException if it cannot be written */
    static void write(Path file, Content content) {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            try (FileChannel out = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                content.to(out);
                out.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", file, IoReason.of(e));
        }
    }
}
