// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.BackendProvider;
import java.util.Optional;

/** Usable wherever an ND4J backend is on the class path. */
public final class Nd4jBackendProvider implements BackendProvider {
    static final String NAME = "nd4j";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 10;
    }

    /** Looks for ND4J's own service file, so that asking does not start ND4J. */
    @Override
    public Optional<String> unusableReason() {
        return getClass().getResource("/META-INF/services/org.nd4j.linalg.factory.Nd4jBackend") != null
                ? Optional.empty()
                : Optional.of("no ND4J backend on the class path; add org.nd4j:nd4j-native");
    }

    @Override
    public Backend create(int threads) {
        return new Nd4jBackend(threads);
    }
}
