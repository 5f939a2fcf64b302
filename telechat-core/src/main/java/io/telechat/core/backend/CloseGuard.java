// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells in the log of what has memory and threads of its own and was dropped without being closed. */
public final class CloseGuard {
    private static final Logger LOG = LoggerFactory.getLogger(CloseGuard.class);
    private static final Cleaner CLEANER = Cleaner.create();

    private final AtomicBoolean closed = new AtomicBoolean();

    private CloseGuard() {}

    /**
     * Watches an object. Nothing of its own must refer to the object but what goes with it.
     *
     * @param what names it in the log
     */
    public static CloseGuard of(Object owner, String what) {
        CloseGuard guard = new CloseGuard();
        CLEANER.register(owner, report(guard.closed, what));
        return guard;
    }

    /** Holds on to neither the owner nor its guard. */
    private static Runnable report(AtomicBoolean closed, String what) {
        return () -> {
            if (!closed.get()) {
                LOG.warn("{} was not closed: its memory and threads stay until the program ends", what);
            }
        };
    }

    public boolean isClosed() {
        return closed.get();
    }

    /** The owner is closed; true the first time. */
    public boolean close() {
        return !closed.getAndSet(true);
    }
}
