// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import io.telechat.core.Message;
import java.util.Optional;

/** Creates a {@link Backend}; found by {@link java.util.ServiceLoader}. Loading a provider must be free of side effects. */
public interface BackendProvider {
    String name();

    /** The usable provider of the highest priority is the default. */
    int priority();

    /** Why this backend cannot be used here, and what to add so that it can; empty if it can. */
    Optional<Message> unusableReason();

    /** @param threads number of threads, at least 1 */
    Backend create(int threads);

    /**
     * Likewise, on one of several devices; those that have none are all alike.
     *
     * @param device from 0; there may be fewer, which then have several users
     */
    default Backend create(int threads, int device) {
        return create(threads);
    }
}
