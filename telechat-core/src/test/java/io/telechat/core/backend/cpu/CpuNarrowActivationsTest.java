// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.ops.NarrowActivationsContract;
import io.telechat.core.testing.ScalarBackend;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Activations of BF16 on every tier of kernels that this machine has. */
@Tag("slow")
@ParameterizedClass
@MethodSource("io.telechat.core.backend.cpu.UsableTiers#all")
class CpuNarrowActivationsTest extends NarrowActivationsContract {
    @Parameter
    private KernelTier tier;

    @Override
    protected Backend subject() {
        return new CpuBackend(3, tier);
    }

    @Override
    protected Backend oracle() {
        return new ScalarBackend();
    }
}
