// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A function on a GPU, and the types of its parameters: {@code p} for an address, {@code l} for another integer of 64 bits,
 * {@code i} for one of 32, {@code f} for a float, {@code d} for a double. They are compared with what the driver says of the function when it is loaded.
 */
public final class Kernel {
    private static final int MAX_DYNAMIC_SHARED = 8;
    /** From CUDA 12.4 on. */
    private static final String PARAMETER_INFO = "cuFuncGetParamInfo";

    private static final int SHARED_WITHOUT_ASKING = 48 << 10;

    private final Driver driver;
    private final String name;
    private final String signature;
    private final long function;
    private int allowedShared = SHARED_WITHOUT_ASKING;

    Kernel(Driver driver, long function, String name, String signature) {
        this.driver = driver;
        this.function = function;
        this.name = name;
        this.signature = signature;
        if (driver.has(PARAMETER_INFO)) {
            check();
        }
    }

    /** A launch with other arguments than the kernel takes would read foreign memory, so what can be compared is. */
    private void check() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment offset = arena.allocate(JAVA_LONG);
            MemorySegment size = arena.allocate(JAVA_LONG);
            long expected = 0;
            for (int i = 0; i < signature.length(); i++) {
                long bytes = bytes(i);
                expected = Math.ceilDiv(expected, bytes) * bytes;
                if (!parameter(i, offset, size)
                        || offset.get(JAVA_LONG, 0) != expected
                        || size.get(JAVA_LONG, 0) != bytes) {
                    throw mismatch(i);
                }
                expected += bytes;
            }
            if (parameter(signature.length(), offset, size)) {
                throw mismatch(signature.length());
            }
        }
    }

    private boolean parameter(int index, MemorySegment offset, MemorySegment size) {
        try {
            driver.call(
                    PARAMETER_INFO,
                    List.of(JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS),
                    function,
                    (long) index,
                    offset,
                    size);
            return true;
        } catch (CudaException e) {
            return false; // there is no parameter of this number
        }
    }

    private IllegalStateException mismatch(int index) {
        return new IllegalStateException(
                "kernel %s does not take the parameters %s: see number %d".formatted(name, signature, index));
    }

    long function() {
        return function;
    }

    public String name() {
        return name;
    }

    int parameters() {
        return signature.length();
    }

    char type(int index) {
        return signature.charAt(index);
    }

    private int bytes(int index) {
        return switch (signature.charAt(index)) {
            case 'p', 'l', 'd' -> Long.BYTES;
            case 'i', 'f' -> Integer.BYTES;
            default -> throw new IllegalArgumentException("signature " + signature);
        };
    }

    /** Sees to it that blocks may have so much shared memory. */
    void allowShared(int bytes) {
        if (bytes > allowedShared) {
            driver.call(
                    "cuFuncSetAttribute", List.of(JAVA_LONG, JAVA_INT, JAVA_INT), function, MAX_DYNAMIC_SHARED, bytes);
            allowedShared = bytes;
        }
    }
}
