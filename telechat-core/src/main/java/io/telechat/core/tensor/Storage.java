// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

/** Where the elements of a {@link Tensor} lie: in the memory of this process, or in that of a device, whose backend has its own. */
public interface Storage {
    /**
     * The elements of rows {@code from} (inclusive) to {@code to} (exclusive) of the outermost dimension, sharing this memory.
     *
     * @param shape of the tensor that all elements make up
     * @throws IllegalArgumentException if they do not begin and end where panels of a quantized matrix do
     */
    Storage slice(DType dtype, Shape shape, long from, long to);

    /** The same elements for a tensor of another shape. */
    Storage reshape(Shape shape);

    /** Sets all elements to zero. */
    void clear();

    /** Bytes that the elements take, with those that fill rows up. */
    default long byteSize() {
        throw notOfBytes();
    }

    /** Some of these bytes, sharing this memory: the elements of a tensor of U8. */
    default Storage bytes(long from, long to) {
        throw notOfBytes();
    }

    /**
     * Elements that lie in other memory as these do here.
     *
     * @param bytes as many as {@link #byteSize}
     */
    default Storage laidOutIn(Storage bytes) {
        throw notOfBytes();
    }

    private IllegalStateException notOfBytes() {
        return new IllegalStateException(getClass().getSimpleName() + " is not made of bytes");
    }

    /** Whether the elements are in the memory of this process, so that it is a {@link HostStorage}. */
    boolean isHost();
}
