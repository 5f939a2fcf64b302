// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.Message;
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
    public Optional<Message> unusableReason() {
        return getClass().getResource("/META-INF/services/org.nd4j.linalg.factory.Nd4jBackend") != null
                ? Optional.empty()
                : Optional.of(Message.of("ND4J is not on the class path; add io.telechat:telechat-nd4j"));
    }

    @Override
    public Backend create(int threads) {
        return new Nd4jBackend(threads);
    }
}
