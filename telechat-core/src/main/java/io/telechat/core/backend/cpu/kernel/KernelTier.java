// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import java.util.Locale;

/** Which bodies of the {@link Kernels} compute. A CPU of the x86 family that has one has those before it, too. */
public enum KernelTier {
    /** Java's Vector API: portable. */
    VECTOR,
    /** C, with AVX2, FMA and F16C. */
    AVX2,
    /** C, with AVX-512 and its instructions for neural networks (VNNI). */
    AVX512,
    /** The same, with its instructions for bfloat16. */
    AVX512_BF16,
    /** The same, with the matrix unit of Intel's CPUs (AMX) for products with BF16 and quantized weights. */
    AMX,
    /** C, for 64-bit Arm with dot-product instructions. */
    NEON;

    /** {@code "avx2"}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
