// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.InsufficientMemoryException;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.cuda.driver.Stream;
import java.util.ArrayList;
import java.util.List;

/** Memory of a GPU. Small tensors share an allocation, because each of the driver's takes a while and two mebibytes. */
final class DeviceArena implements TensorArena {
    /** What the driver aligns allocations to, and we tensors. */
    private static final long ALIGNMENT = 256;

    private static final long SHARED = 2 << 20;

    private final Stream stream;
    private final List<Long> allocations = new ArrayList<>();
    private long free;
    private long end;
    private long bytes;

    DeviceArena(Stream stream) {
        this.stream = stream;
    }

    @Override
    public synchronized Tensor allocate(DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        DeviceStorage storage = allocate(dtype.bytes(shape), 0);
        storage.clear();
        return new Tensor(dtype, shape, storage);
    }

    /** Memory with whatever is in it. */
    synchronized DeviceStorage allocate(long size, long pitch) {
        long taken = Math.ceilDiv(Math.max(1, size), ALIGNMENT) * ALIGNMENT;
        bytes += size;
        if (taken > SHARED / 4) {
            return new DeviceStorage(stream, allocation(taken), size, pitch);
        }
        if (end - free < taken) {
            free = allocation(SHARED);
            end = free + SHARED;
        }
        DeviceStorage storage = new DeviceStorage(stream, free, size, pitch);
        free += taken;
        return storage;
    }

    private long allocation(long size) {
        try {
            long address = stream.device().allocate(size);
            allocations.add(address);
            return address;
        } catch (InsufficientMemoryException e) {
            throw new InsufficientMemoryException(
                    "the GPU %s has no memory for %,d bytes more (%,d of %,d are free); use a smaller model,"
                            + " --quantize, or a shorter context",
                    stream.device().name(),
                    size,
                    stream.device().freeBytes(),
                    stream.device().totalBytes());
        }
    }

    @Override
    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public synchronized void close() {
        if (!allocations.isEmpty()) {
            try {
                stream.synchronize();
            } finally { // another rank's failure is no reason to keep them
                allocations.forEach(stream.device()::free);
                allocations.clear();
            }
        }
        free = 0;
        end = 0;
    }
}
