// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.ops.OpsContract;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Every tier of kernels that this machine has against ND4J, their twin. */
@Tag("slow")
@ParameterizedClass
@MethodSource("io.telechat.core.backend.cpu.UsableTiers#all")
class CpuOpsTest extends OpsContract {
    @Parameter
    private KernelTier tier;

    @Override
    protected Backend subject() {
        return new CpuBackend(3, tier);
    }

    @Override
    protected Backend oracle() {
        return Backends.byName("nd4j", 1);
    }
}
