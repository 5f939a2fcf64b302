// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.BackendProvider;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.backend.cpu.kernel.VectorInfo;
import java.util.List;
import java.util.Optional;

/** Usable wherever this build has native kernels for the CPU, or the Vector API's module is on. */
public final class CpuBackendProvider implements BackendProvider {
    static final String NAME = "cpu";

    /** Forces a tier of kernels, by its name in lower case. */
    private static final String TIER_PROPERTY = "telechat.kernels";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 100;
    }

    @Override
    public Optional<Message> unusableReason() {
        return KernelTiers.isUsable(KernelTiers.best())
                ? Optional.empty()
                : Optional.of(Message.of(
                        "there are no native kernels (%s), and %s",
                        KernelTiers.nativeAbsence(), KernelTiers.absence(KernelTier.VECTOR)));
    }

    @Override
    public Backend create(int threads) {
        return new CpuBackend(threads, tier());
    }

    /** The best tier, or the one that the property asks for. */
    private static KernelTier tier() {
        String asked = System.getProperty(TIER_PROPERTY, "");
        for (KernelTier tier : KernelTier.values()) {
            if (tier.toString().equals(asked)) {
                if (!KernelTiers.isUsable(tier)) {
                    throw new InvalidRequestException("-D%s=%s: %s", TIER_PROPERTY, asked, KernelTiers.absence(tier));
                }
                return tier;
            }
        }
        if (!asked.isEmpty()) {
            throw new InvalidRequestException(
                    "-D%s=%s: there are %s", TIER_PROPERTY, asked, List.of(KernelTier.values()));
        }
        return KernelTiers.best();
    }

    static int vectorBits() {
        return VectorInfo.bits();
    }
}
