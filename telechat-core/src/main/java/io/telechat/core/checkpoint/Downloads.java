// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** What lies in place of a file that was not downloaded: what Git leaves without its large-file extension, or a web page. */
public final class Downloads {
    private static final int HEAD = 256;
    private static final String POINTER = "version https://git-lfs.github.com/spec/";

    private Downloads() {}

    /** @throws InvalidModelException if the file is something else in its place; not if there is none */
    public static void requireWhole(Path file) {
        if (Files.isRegularFile(file)) {
            try {
                complaint(head(file)).ifPresent(what -> {
                    throw new InvalidModelException("%s: %s", file, what);
                });
            } catch (IOException e) {
                throw new InvalidModelException(e, "%s: cannot be read: %s", file, IoReason.of(e));
            }
        }
    }

    static byte[] head(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(HEAD);
        }
    }

    /**
     * What the beginning of a file shows it to be, and how to mend that.
     *
     * @param head its first bytes
     * @return empty if there is nothing to complain of
     */
    public static Optional<Message> complaint(byte[] head) {
        String text = new String(head, StandardCharsets.ISO_8859_1).stripLeading();
        if (text.startsWith(POINTER)) {
            return Optional.of(
                    Message.of("is a Git LFS pointer: the file itself was not downloaded; run git lfs pull"));
        }
        String lower = text.toLowerCase(Locale.ROOT);
        boolean page = lower.startsWith("<!doctype html") || lower.startsWith("<html") || lower.startsWith("<?xml");
        return page
                ? Optional.of(Message.of("is text, a web page in place of the file; download it again"))
                : Optional.empty();
    }

    /** Whether these bytes are plain text, as no binary format begins. */
    static boolean isText(byte[] head) {
        for (byte b : head) {
            if (b < ' ' && b != '\n' && b != '\r' && b != '\t') {
                return false;
            }
        }
        return head.length > 0;
    }
}
