// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import io.telechat.core.tensor.DType;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Element types of ggml that are read here; the quantized ones are sequences of blocks along a row. */
public enum GgufType {
    F32(0, 1, 4, DType.F32),
    F16(1, 1, 2, DType.F16),
    Q4_0(2, 32, 18, DType.Q4),
    Q4_1(3, 32, 20, DType.Q4),
    Q5_0(6, 32, 22, DType.Q8),
    Q5_1(7, 32, 24, DType.Q8),
    Q8_0(8, 32, 34, DType.Q8),
    Q4_K(12, 256, 144, DType.Q4),
    Q5_K(13, 256, 176, DType.Q8),
    Q6_K(14, 256, 210, DType.Q8),
    BF16(30, 1, 2, DType.BF16);

    /** Names of types that are not read, by their numbers, for complaints. */
    private static final Map<Integer, String> OTHERS = Map.ofEntries(
            Map.entry(9, "Q8_1"),
            Map.entry(10, "Q2_K"),
            Map.entry(11, "Q3_K"),
            Map.entry(15, "Q8_K"),
            Map.entry(16, "IQ2_XXS"),
            Map.entry(17, "IQ2_XS"),
            Map.entry(18, "IQ3_XXS"),
            Map.entry(19, "IQ1_S"),
            Map.entry(20, "IQ4_NL"),
            Map.entry(21, "IQ3_S"),
            Map.entry(22, "IQ2_S"),
            Map.entry(23, "IQ4_XS"),
            Map.entry(24, "I8"),
            Map.entry(25, "I16"),
            Map.entry(26, "I32"),
            Map.entry(27, "I64"),
            Map.entry(28, "F64"),
            Map.entry(29, "IQ1_M"),
            Map.entry(34, "TQ1_0"),
            Map.entry(35, "TQ2_0"),
            Map.entry(39, "MXFP4"));

    private final int number;
    private final int blockElements;
    private final int blockBytes;
    private final DType nearest;

    GgufType(int number, int blockElements, int blockBytes, DType nearest) {
        this.number = number;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
        this.nearest = nearest;
    }

    static Optional<GgufType> of(int number) {
        return Stream.of(values()).filter(type -> type.number == number).findFirst();
    }

    /** What a file calls a type by this number. */
    static String name(int number) {
        return of(number).map(GgufType::name).orElseGet(() -> OTHERS.getOrDefault(number, Integer.toString(number)));
    }

    /** As in files. */
    public int number() {
        return number;
    }

    /** Elements of a block; 1 where elements stand alone. */
    public int blockElements() {
        return blockElements;
    }

    public int blockBytes() {
        return blockBytes;
    }

    public boolean isQuantized() {
        return blockElements > 1;
    }

    /** The same type of ours, or where it is quantized the one that is nearest without losing more than it must. */
    public DType nearest() {
        return nearest;
    }

    /**
     * Bytes of so many elements, which are whole blocks.
     *
     * @throws ArithmeticException if they overflow 64 bits
     */
    public long bytes(long elements) {
        return Math.multiplyExact(elements / blockElements, (long) blockBytes);
    }
}
