// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.backend.cpu.kernel.Kernels.Product;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Where the results of a product go. */
final class ProductOutput {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private ProductOutput() {}

    /** Adds the bias to a sum and puts it into y, or adds it to what is there. */
    static void put(Product p, long token, long row, float sum) {
        float value = sum;
        if (!p.bias().equals(MemorySegment.NULL)) {
            value += p.bias().get(FLOAT, 4 * row);
        }
        long at = 4 * (token * p.stride() + row);
        p.y().set(FLOAT, at, p.add() ? p.y().get(FLOAT, at) + value : value);
    }
}
