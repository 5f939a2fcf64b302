// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Element types, named as in the safetensors format; and two for matrices of weights whose elements share scales: layouts of
 * our own, which are not those that ggml calls Q8_0 and Q4_0.
 */
public enum DType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U8(1),
    BOOL(1),
    /**
     * Weights of 8 bits in the layout of {@link QuantizedLayout}; 8.25 bits each with their scales. Keys and values of 8 bits in the
     * layout of {@link io.telechat.core.ops.KvLayout}; 8.5 bits each.
     */
    Q8(0),
    /** Weights of 4 bits in the layout of {@link QuantizedLayout}; 4.25 bits each with their scales. */
    Q4(0);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /**
     * Size of one element in bytes.
     *
     * @throws IllegalStateException for the quantized types, whose elements have no place of their own
     */
    public int bytes() {
        if (isQuantized()) {
            throw new IllegalStateException(this + " has no size per element");
        }
        return bytes;
    }

    /**
     * Size of a tensor in bytes.
     *
     * @throws ArithmeticException if it overflows 64 bits
     */
    public long bytes(Shape shape) {
        return isQuantized() ? QuantizedLayout.bytes(this, shape) : Math.multiplyExact(shape.elements(), (long) bytes);
    }

    /** Whether model weights may have this type. */
    public boolean isFloat() {
        return this == F32 || this == F16 || this == BF16 || this == F64;
    }

    public boolean isQuantized() {
        return this == Q8 || this == Q4;
    }

    /** The quantized type with this name, which once had a {@code _0} at its end, as other types of ggml's have. */
    public static Optional<DType> quantizedByName(String name) {
        String now = name.toLowerCase(Locale.ROOT).replaceFirst("_0$", "");
        return Stream.of(values())
                .filter(type -> type.isQuantized() && type.toString().equals(now))
                .findFirst();
    }

    /** As on the command line: in small letters. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The type with this safetensors name ({@code "BF16"}), if we know it. */
    public static Optional<DType> byName(String name) {
        for (DType type : values()) {
            if (!type.isQuantized() && type.name().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
