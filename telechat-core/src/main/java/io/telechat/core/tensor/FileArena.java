// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import io.telechat.core.InvalidModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Tensors in a file that is mapped into memory, so that the system may take their pages away and bring them back. The file has
 * no name while it is used, and is gone when the arena is closed or the process ends. Thread-safe.
 */
public final class FileArena implements TensorArena {
    private static final int ALIGNMENT = 4096;
    private static final int PIECE = 1 << 16;

    private final Arena arena = Arena.ofShared();
    private final Path directory;
    private final FileChannel file;
    private final ByteBuffer zeros = ByteBuffer.allocateDirect(PIECE);
    private long bytes;

    /**
     * @param directory for the file; is made if there is none
     * @throws InvalidModelException if no file can be made there
     */
    public FileArena(Path directory) {
        this.directory = directory;
        try {
            Files.createDirectories(directory);
            Path path = Files.createTempFile(directory, "tensors-", ".tmp");
            this.file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
            Files.delete(path);
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    private InvalidModelException unusable(IOException e) {
        return new InvalidModelException(
                e, "%s: cannot be written: %s; choose another directory for --offload", directory, e.getMessage());
    }

    /** @throws InvalidModelException if there is no room on the disk */
    @Override
    public synchronized Tensor allocate(DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        long size = dtype.bytes(shape);
        try {
            long from = bytes;
            bytes = (from + size + ALIGNMENT - 1) & -ALIGNMENT;
            fill(from, bytes);
            Tensor tensor = new Tensor(
                    dtype, shape, new HostStorage(file.map(FileChannel.MapMode.READ_WRITE, from, size, arena)));
            tensor.leaveMemory();
            return tensor;
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    /** A disk that is full is noticed here, and not when a page is written back, which would end the process. */
    private void fill(long from, long to) throws IOException {
        for (long at = from; at < to; ) {
            zeros.clear().limit((int) Math.min(PIECE, to - at));
            at += file.write(zeros, at);
        }
    }

    @Override
    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
        try {
            file.close();
        } catch (IOException e) {
            throw unusable(e);
        }
    }
}
