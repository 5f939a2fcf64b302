// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import java.util.Arrays;
import java.util.stream.Stream;

/** The tiers of kernels that this build and this CPU have. */
final class UsableTiers {
    private UsableTiers() {}

    static Stream<KernelTier> all() {
        return Arrays.stream(KernelTier.values()).filter(KernelTiers::isUsable);
    }
}
