// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A handle: shape, element type and storage. Row-major and contiguous by construction, and without arithmetic, which
 * is the business of {@link io.telechat.core.ops.Ops}. Its memory belongs to whoever made it, usually a
 * {@link TensorArena}.
 */
public final class Tensor {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final DType dtype;
    private final Shape shape;
    private final Storage storage;
    private final long columns;

    public Tensor(DType dtype, Shape shape, Storage storage) {
        if (storage instanceof HostStorage host && host.segment().byteSize() != dtype.bytes(shape)) {
            throw new IllegalArgumentException("%s %s needs %d bytes, the segment has %d"
                    .formatted(dtype, shape, dtype.bytes(shape), host.segment().byteSize()));
        }
        this.dtype = dtype;
        this.shape = shape;
        this.storage = storage;
        this.columns = rows() == 0 ? 0 : shape.elements() / rows();
    }

    /** A tensor over memory that exists already. */
    public static Tensor over(MemorySegment segment, DType dtype, long... dims) {
        return new Tensor(dtype, Shape.of(dims), new HostStorage(segment));
    }

    public DType dtype() {
        return dtype;
    }

    public Shape shape() {
        return shape;
    }

    public Storage storage() {
        return storage;
    }

    /** The outermost dimension; 1 for a scalar. */
    public long rows() {
        return shape.rank() == 0 ? 1 : shape.dim(0);
    }

    /** Elements in one row: the product of all dimensions but the outermost. */
    public long columns() {
        return columns;
    }

    public long bytes() {
        return dtype.bytes(shape);
    }

    /** Whether the elements are in the memory of this process, so that {@link #segment} has them. */
    public boolean isOnHost() {
        return storage.isHost();
    }

    /**
     * The bytes of a host tensor.
     *
     * @throws IllegalStateException if the elements lie in a device's memory
     */
    public MemorySegment segment() {
        return host().segment();
    }

    private HostStorage host() {
        if (storage instanceof HostStorage host) {
            return host;
        }
        throw new IllegalStateException("tensor " + shape + " is not in host memory");
    }

    /**
     * The bytes of rows {@code from} (inclusive) to {@code to} (exclusive) of a host tensor.
     *
     * @throws IllegalArgumentException if they do not begin and end where panels of a quantized matrix do
     */
    public MemorySegment segment(long from, long to) {
        return host().slice(dtype, shape, from, to).segment();
    }

    /**
     * Rows {@code from} (inclusive) to {@code to} (exclusive) of the outermost dimension, sharing this memory.
     *
     * @throws IllegalArgumentException if they do not begin and end where panels of a quantized matrix do
     */
    public Tensor rows(long from, long to) {
        long[] dims = shape.toArray();
        if (from < 0 || to > rows() || from > to) {
            throw new IndexOutOfBoundsException("rows " + from + " to " + to + " of " + shape);
        }
        dims[0] = to - from;
        return new Tensor(dtype, Shape.of(dims), storage.slice(dtype, shape, from, to));
    }

    /** The same elements under another shape. */
    public Tensor reshape(long... dims) {
        Shape other = Shape.of(dims);
        if (other.elements() != shape.elements()) {
            throw new IllegalArgumentException("cannot view " + shape + " as " + other);
        }
        return new Tensor(dtype, other, storage.reshape(other));
    }

    /** Element {@code index} in row-major order of a host tensor, widened to float. */
    public float getFloat(long index) {
        MemorySegment segment = segment();
        return switch (dtype) {
            case F32 -> segment.get(FLOAT, index * 4);
            case F16 -> Float.float16ToFloat(segment.get(SHORT, index * 2));
            case BF16 -> bf16ToFloat(segment.get(SHORT, index * 2));
            case F64 -> (float) segment.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, index * 8);
            case I64, I32, I16, I8, U8, BOOL, Q8, Q4 -> throw new IllegalStateException(dtype + " is not a float type");
        };
    }

    /** Sets element {@code index} in row-major order of a host tensor, rounding to nearest even. */
    public void setFloat(long index, float value) {
        MemorySegment segment = segment();
        switch (dtype) {
            case F32 -> segment.set(FLOAT, index * 4, value);
            case F16 -> segment.set(SHORT, index * 2, Float.floatToFloat16(value));
            case BF16 -> segment.set(SHORT, index * 2, floatToBf16(value));
            case F64 -> segment.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, index * 8, value);
            case I64, I32, I16, I8, U8, BOOL, Q8, Q4 -> throw new IllegalStateException(dtype + " is not a float type");
        }
    }

    /** All elements of a host tensor, widened to float. */
    public float[] toFloats() {
        float[] values = new float[Math.toIntExact(shape.elements())];
        if (dtype == DType.F32) {
            MemorySegment.copy(segment(), FLOAT, 0, values, 0, values.length);
            return values;
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = getFloat(i);
        }
        return values;
    }

    /** Lets the pages of a mapped file leave memory, until the elements are used again; does nothing elsewhere. */
    public void leaveMemory() {
        if (storage instanceof HostStorage host && host.segment().isMapped()) {
            host.segment().unload();
        }
    }

    /** Sets all elements to zero. */
    public void clear() {
        storage.clear();
    }

    /** Fills a host tensor of F32 with these values. */
    public Tensor setFloats(float... values) {
        MemorySegment.copy(values, 0, segment(), FLOAT, 0, Math.toIntExact(shape.elements()));
        return this;
    }

    /** The float that a bfloat16 stands for: its upper 16 bits. */
    public static float bf16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** Rounds to the nearest bfloat16, ties to even; NaN stays NaN. */
    public static short floatToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    @Override
    public String toString() {
        return dtype + shape.toString();
    }
}
