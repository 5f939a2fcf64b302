// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Elements in the memory of this process: allocated off-heap, or a mapped file.
 *
 * @param segment exactly the tensor's bytes, little-endian, possibly unaligned when they are part of a file
 */
public record HostStorage(MemorySegment segment) implements Storage {
    @Override
    public HostStorage slice(DType dtype, Shape shape, long from, long to) {
        long rows = shape.dim(0);
        if (!dtype.isQuantized()) {
            long rowBytes = rows == 0 ? 0 : shape.elements() / rows * dtype.bytes();
            return new HostStorage(segment.asSlice(from * rowBytes, (to - from) * rowBytes));
        }
        int panel = QuantizedLayout.PANEL;
        if (from % panel != 0 || to % panel != 0 && to != rows) {
            throw new IllegalArgumentException(
                    "rows %d to %d of %s%s cut a panel of %d rows".formatted(from, to, dtype, shape, panel));
        }
        long panelBytes = QuantizedLayout.panelBytes(dtype, shape.dim(1));
        long first = from / panel;
        return new HostStorage(segment.asSlice(first * panelBytes, (QuantizedLayout.panels(to) - first) * panelBytes));
    }

    @Override
    public HostStorage reshape(Shape shape) {
        return this;
    }

    @Override
    public long byteSize() {
        return segment.byteSize();
    }

    @Override
    public HostStorage bytes(long from, long to) {
        return new HostStorage(segment.asSlice(from, to - from));
    }

    @Override
    public Storage laidOutIn(Storage bytes) {
        return bytes;
    }

    @Override
    public void clear() {
        segment.fill((byte) 0);
    }

    @Override
    public boolean isHost() {
        return true;
    }
}
