// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.checkpoint.Sha256;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** SHA-256 of the input files. A file's is taken while it is read for the first time, so it costs no pass of its own. */
final class InputHashes {
    private final Map<Path, String> hashes = new ConcurrentHashMap<>();

    /** Opens a file; its hash is known once all of it has been read. */
    InputStream open(Path file) throws IOException {
        InputStream in = Files.newInputStream(file);
        return hashes.containsKey(file) ? in : new HashingStream(in, Sha256.digest(), file);
    }

    /** Reads files for their hashes alone, several at once. */
    void read(List<Path> files, WorkerTeam team) {
        team.run(files.size(), (i, thread) -> {
            try (InputStream in = open(files.get(i))) {
                in.transferTo(OutputStream.nullOutputStream());
            } catch (IOException e) {
                throw LineBatches.unreadable(files.get(i), e);
            }
        });
    }

    /** In hexadecimal digits. */
    String of(Path file) {
        String hash = hashes.get(file);
        if (hash == null) {
            throw new IllegalStateException("%s has not been read to its end".formatted(file));
        }
        return hash;
    }

    private final class HashingStream extends DigestInputStream {
        private final Path file;

        HashingStream(InputStream in, MessageDigest digest, Path file) {
            super(in, digest);
            this.file = file;
        }

        @Override
        public int read() throws IOException {
            return noticeEnd(super.read());
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            return noticeEnd(super.read(bytes, from, length));
        }

        private int noticeEnd(int read) {
            if (read < 0) {
                hashes.computeIfAbsent(
                        file, f -> HexFormat.of().formatHex(getMessageDigest().digest()));
            }
            return read;
        }
    }
}
