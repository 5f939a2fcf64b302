// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file that several threads write and read at places of their own, and that is deleted when it is closed. It is never
 * mapped: pages of a mapping would count as memory used.
 */
final class TemporaryFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final AtomicLong size = new AtomicLong();

    TemporaryFile(Path path) {
        this.path = path;
        try {
            this.channel = FileChannel.open(
                    path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @return where the caller may write so many bytes */
    long reserve(long bytes) {
        return size.getAndAdd(bytes);
    }

    /** Reserved bytes. */
    long size() {
        return size.get();
    }

    /** Up to the end of what was written last in it. */
    long writtenBytes() {
        try {
            return channel.size();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes what remains of the buffer. */
    void write(ByteBuffer bytes, long at) {
        try {
            writeFully(channel, bytes, at);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void writeFully(FileChannel channel, ByteBuffer bytes, long at) throws IOException {
        for (long position = at; bytes.hasRemaining(); ) {
            position += channel.write(bytes, position);
        }
    }

    /** Fills what remains of the buffer. */
    void read(ByteBuffer bytes, long at) {
        try {
            for (long position = at; bytes.hasRemaining(); ) {
                int got = channel.read(bytes, position);
                if (got < 0) {
                    throw new EOFException("%s: ends at %,d".formatted(path, position));
                }
                position += got;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
