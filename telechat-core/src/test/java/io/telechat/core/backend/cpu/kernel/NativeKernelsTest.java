// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.tensor.DType;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Java and the library in C have agreed on. */
class NativeKernelsTest {
    @Test
    void aTierWithoutAnOperationSaysSo() {
        assumeTrue(KernelTiers.isUsable(KernelTier.AVX2), "needs a CPU with AVX2");
        NativeKernels kernels = KernelTiers.ofNative(KernelTier.AVX2);
        String message = assertThrows(
                        IllegalStateException.class,
                        () -> kernels.roundTokens(MemorySegment.NULL, 0, 0, MemorySegment.NULL))
                .getMessage();
        assertTrue(message.contains("avx2") && message.contains("ROUND_TOKENS"), message);
    }

    /** The layout is that of QuantizedActivations; only the matrix unit's kernels add something of their own. */
    @ParameterizedTest
    @EnumSource(names = {"Q8", "Q4"})
    void tokensTakeAsManyBytesAsInJava(DType weights) {
        VectorKernels java = new VectorKernels();
        for (KernelTier tier : KernelTier.values()) {
            if (tier != KernelTier.VECTOR && tier != KernelTier.AMX && KernelTiers.isUsable(tier)) {
                NativeKernels kernels = KernelTiers.ofNative(tier);
                assertEquals(java.quantizedBytes(weights, 300), kernels.quantizedBytes(weights, 300));
            }
        }
    }
}
