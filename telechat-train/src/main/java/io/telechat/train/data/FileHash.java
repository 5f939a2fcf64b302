// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.checkpoint.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/** Hashes of files. */
public final class FileHash {
    private static final int BUFFER_BYTES = 1 << 18;

    private FileHash() {}

    /** SHA-256 of files, one behind the other, in hexadecimal digits. */
    public static String sha256(Path... files) throws IOException {
        MessageDigest digest = Sha256.digest();
        byte[] buffer = new byte[BUFFER_BYTES];
        for (Path file : files) {
            try (InputStream in = Files.newInputStream(file)) {
                for (int got = in.read(buffer); got >= 0; got = in.read(buffer)) {
                    digest.update(buffer, 0, got);
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** SHA-256 of hashes in their order, one a line. */
    static String ofHashes(List<String> hashes) {
        return HexFormat.of()
                .formatHex(Sha256.digest().digest(String.join("\n", hashes).getBytes(StandardCharsets.US_ASCII)));
    }
}
