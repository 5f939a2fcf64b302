// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.ops.OpsContract;
import org.junit.jupiter.api.Nested;

/** Every tier of kernels against ND4J, their twin. */
class CpuOpsTest {
    private abstract static class TierTest extends OpsContract {
        private final KernelTier tier;

        TierTest(KernelTier tier) {
            assumeTrue(
                    KernelTiers.isUsable(tier),
                    () -> "no kernels of tier %s here, but %s %s"
                            .formatted(tier, KernelTiers.best(), KernelTiers.nativeAbsence()));
            this.tier = tier;
        }

        @Override
        protected Backend subject() {
            return new CpuBackend(3, tier);
        }

        @Override
        protected Backend oracle() {
            return Backends.byName("nd4j", 1);
        }
    }

    @Nested
    class Vector extends TierTest {
        Vector() {
            super(KernelTier.VECTOR);
        }
    }

    @Nested
    class Avx2 extends TierTest {
        Avx2() {
            super(KernelTier.AVX2);
        }
    }

    @Nested
    class Avx512 extends TierTest {
        Avx512() {
            super(KernelTier.AVX512);
        }
    }

    @Nested
    class Avx512Bf16 extends TierTest {
        Avx512Bf16() {
            super(KernelTier.AVX512_BF16);
        }
    }

    @Nested
    class Amx extends TierTest {
        Amx() {
            super(KernelTier.AMX);
        }
    }

    @Nested
    class Neon extends TierTest {
        Neon() {
            super(KernelTier.NEON);
        }
    }
}
