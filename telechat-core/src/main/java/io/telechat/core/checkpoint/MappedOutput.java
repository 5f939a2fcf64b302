// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidModelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file of known size that is written through memory. Until {@link #commit} it lies under a temporary name, and closing without
 * a commit leaves nothing behind.
 */
final class MappedOutput implements AutoCloseable {
    private final Path target;
    private final Path temporary;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment file;

    MappedOutput(Path target, long size) throws IOException {
        this.target = target.toAbsolutePath();
        this.temporary = this.target.resolveSibling(
                "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
        try {
            this.file = map(size);
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private MemorySegment map(long size) throws IOException {
        Path directory = target.getParent();
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new IOException("it is there already, and is not a file");
        }
        if (!Files.isDirectory(directory)) {
            throw new IOException("there is no directory " + directory);
        }
        long room = Files.getFileStore(directory).getUsableSpace();
        if (room < size) {
            throw new IOException("it would have %,d bytes, the disk has room for %,d".formatted(size, room));
        }
        temporary.toFile().deleteOnExit();
        try (FileChannel channel = FileChannel.open(
                temporary,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
        }
    }

    /** All of the file; it starts as zeros. */
    MemorySegment segment() {
        return file;
    }

    /** Forces everything to disk and gives the file its name. */
    void commit() {
        try {
            file.force();
            arena.close();
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", target, IoReason.of(e));
        } finally {
            close();
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
