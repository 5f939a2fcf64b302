// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import java.util.List;

/**
 * Generates for many at once. What comes of a sequence depends on its request alone, to the bit; as far as the backend gives the
 * same bits for any batch, as {@code cpu} does. Thread-safe.
 */
public interface Engine {
    /** Stops the sequences of a submission. */
    @FunctionalInterface
    interface Ticket {
        /** Takes effect before their next token; those that have ended stay so. Does not wait for that. */
        void cancel();
    }

    /**
     * Has sequences computed: all of them, or none. What some begin with, of these or of others that wait, is computed once.
     *
     * @throws io.telechat.core.InvalidRequestException if one cannot be
     * @throws io.telechat.infer.generation.ContextOverflowException if a prompt leaves no room
     * @throws QueueFullException if too many wait already
     * @throws IllegalStateException if the model is closed
     */
    Ticket submit(List<Request> requests, EngineListener listener);

    EngineOptions options();

    /** What it is doing, and has done so far. */
    EngineStats stats();
}
