// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.BackendProvider;
import io.telechat.core.backend.cpu.kernel.VectorInfo;
import java.util.Optional;

/** Usable wherever the Vector API's module is on. */
public final class CpuBackendProvider implements BackendProvider {
    static final String NAME = "cpu";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 100;
    }

    @Override
    public Optional<String> unusableReason() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? Optional.empty()
                : Optional.of("Java's Vector API is off; start java with --add-modules jdk.incubator.vector");
    }

    @Override
    public Backend create(int threads) {
        return new CpuBackend(threads);
    }

    static int vectorBits() {
        return VectorInfo.bits();
    }
}
