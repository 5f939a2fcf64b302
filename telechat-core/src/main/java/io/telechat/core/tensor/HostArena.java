// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import io.telechat.core.InsufficientMemoryException;
import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicLong;

/** Off-heap memory of this process. Thread-safe. */
public final class HostArena implements TensorArena {
    /** A cache line, and the widest vector that any supported CPU loads at once. */
    private static final long ALIGNMENT = 64;

    private final Arena arena = Arena.ofShared();
    private final AtomicLong bytes = new AtomicLong();

    @Override
    public Tensor allocate(DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        long size = dtype.bytes(shape);
        try {
            Tensor tensor = new Tensor(dtype, shape, new HostStorage(arena.allocate(size, ALIGNMENT)));
            bytes.addAndGet(size);
            return tensor;
        } catch (OutOfMemoryError e) {
            throw new InsufficientMemoryException(
                    "no memory for a tensor of %s %s (%,d bytes)".formatted(dtype, shape, size));
        }
    }

    @Override
    public long bytes() {
        return bytes.get();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
