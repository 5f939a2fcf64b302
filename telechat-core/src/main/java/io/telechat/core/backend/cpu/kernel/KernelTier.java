// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import java.util.Locale;

/** Which kernels compute inner products, from the portable to the fastest. */
public enum KernelTier {
    /** Java's Vector API. */
    VECTOR,
    /** C, with AVX2, FMA and F16C. */
    AVX2,
    /** C, with AVX-512. */
    AVX512;

    /** {@code "avx2"}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
