// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text that people give: UTF-8, perhaps with the byte order mark that Windows puts in front. */
public final class TextFiles {
    private static final char BYTE_ORDER_MARK = '\ufeff';

    private TextFiles() {}

    /**
     * A whole file.
     *
     * @throws InvalidInputException if it cannot be read, or is not text in UTF-8
     */
    public static String read(Path file) {
        byte[] bytes;
        try {
            if (Files.isDirectory(file)) {
                throw new InvalidInputException("%s: is a directory, not a file", file);
            }
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be read: %s", file, IoReason.of(e));
        }
        Downloads.complaint(bytes)
                .filter(what -> what.toString().contains("LFS"))
                .ifPresent(what -> {
                    throw new InvalidInputException("%s: %s", file, what);
                });
        return withoutMark(decode(file.toString(), bytes, 0));
    }

    /**
     * Bytes as text.
     *
     * @param source to name in complaints
     * @param start of the bytes within the source
     * @throws InvalidInputException if they are not valid UTF-8, saying where
     */
    public static String decode(String source, byte[] bytes, long start) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(buffer)
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidInputException(
                    e,
                    "%s: not valid UTF-8 at byte %d; convert it, for example with iconv -t UTF-8",
                    source,
                    start + buffer.position());
        }
    }

    /** The text behind a byte order mark, if it begins with one. */
    public static String withoutMark(String text) {
        return !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK ? text.substring(1) : text;
    }
}
