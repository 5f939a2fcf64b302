// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Storage;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.Stream;

/**
 * Elements in the memory of a GPU.
 *
 * @param stream in whose order the memory is worked on
 * @param address of the first element
 * @param bytes of all of them
 * @param pitch bytes from one row to the next, where rows are filled up for loads of 16 bytes; 0 where they are not
 */
record DeviceStorage(Stream stream, long address, long bytes, long pitch) implements Storage {
    /** A load of the widest kind takes so many bytes, from an address that is a multiple of it. */
    static final int ALIGNMENT = 16;

    static DeviceStorage of(Tensor tensor) {
        if (tensor.storage() instanceof DeviceStorage device) {
            return device;
        }
        throw new IllegalArgumentException(tensor + " is not in a GPU's memory");
    }

    static long address(Tensor tensor) {
        return of(tensor).address();
    }

    /** Elements from one row of a matrix to the next; for a quantized one, its columns. */
    static long pitch(Tensor matrix) {
        DeviceStorage storage = of(matrix);
        return storage.pitch == 0
                ? matrix.columns()
                : storage.pitch / matrix.dtype().bytes();
    }

    @Override
    public Storage slice(DType dtype, Shape shape, long from, long to) {
        if (!dtype.isQuantized()) {
            long rows = shape.dim(0);
            long rowBytes = pitch != 0 ? pitch : rows == 0 ? 0 : shape.elements() / rows * dtype.bytes();
            return new DeviceStorage(stream, address + from * rowBytes, (to - from) * rowBytes, pitch);
        }
        int panel = QuantizedLayout.PANEL;
        if (from % panel != 0 || to % panel != 0 && to != shape.dim(0)) {
            throw new IllegalArgumentException(
                    "rows %d to %d of %s%s cut a panel of %d rows".formatted(from, to, dtype, shape, panel));
        }
        long panelBytes = QuantizedLayout.panelBytes(dtype, shape.dim(1));
        long first = from / panel;
        return new DeviceStorage(
                stream, address + first * panelBytes, (QuantizedLayout.panels(to) - first) * panelBytes, 0);
    }

    @Override
    public Storage reshape(Shape shape) {
        if (pitch != 0) {
            throw new IllegalStateException("rows that are filled up have one shape only");
        }
        return this;
    }

    @Override
    public long byteSize() {
        return bytes;
    }

    @Override
    public Storage bytes(long from, long to) {
        return new DeviceStorage(stream, address + from, to - from, 0);
    }

    @Override
    public Storage laidOutIn(Storage other) {
        return new DeviceStorage(stream, ((DeviceStorage) other).address, bytes, pitch);
    }

    @Override
    public void clear() {
        stream.clear(address, bytes);
    }

    @Override
    public boolean isHost() {
        return false;
    }
}
