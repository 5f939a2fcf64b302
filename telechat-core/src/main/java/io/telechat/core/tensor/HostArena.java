// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import io.telechat.core.InsufficientMemoryException;
import io.telechat.core.ffi.LargePages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Off-heap memory of this process, where it pays in large pages. Thread-safe. */
public final class HostArena implements TensorArena {
    /** A cache line, and the widest vector that any supported CPU loads at once. */
    private static final long ALIGNMENT = 64;
    /** Tensors from this size on share large pages; below, a large page would be mostly unused. */
    private static final long LARGE = LargePages.BYTES / 2;
    /** Address space to cut tensors from; only what is written to becomes memory. */
    private static final long MAPPING = 128 << 20;

    private final Arena arena = Arena.ofShared();
    private MemorySegment free = MemorySegment.NULL; // the rest of the latest mapping
    private long bytes;

    @Override
    public synchronized Tensor allocate(DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        long size = dtype.bytes(shape);
        try {
            MemorySegment memory = size < LARGE
                    ? arena.allocate(size, ALIGNMENT)
                    : large(size).orElseGet(() -> arena.allocate(size, ALIGNMENT));
            bytes += size;
            return new Tensor(dtype, shape, new HostStorage(memory));
        } catch (OutOfMemoryError e) {
            throw new InsufficientMemoryException("no memory for a tensor of %s %s (%,d bytes)", dtype, shape, size);
        }
    }

    private Optional<MemorySegment> large(long size) {
        long taken = (size + ALIGNMENT - 1) & -ALIGNMENT;
        if (free.byteSize() < taken) {
            Optional<MemorySegment> mapping =
                    LargePages.ofSystem().flatMap(pages -> pages.map(Math.max(taken, MAPPING), arena));
            if (mapping.isEmpty()) {
                return mapping;
            }
            free = mapping.get();
        }
        MemorySegment memory = free.asSlice(0, size);
        free = free.asSlice(taken);
        return Optional.of(memory);
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
    }
}
