// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.generation;

import java.util.ArrayList;
import java.util.List;

/**
 * Stops a generation from another thread, or from within a listener; takes effect before the next token. To interrupt the
 * thread that waits for the generation does the same, and leaves it interrupted.
 */
public final class Cancellation {
    private final List<Runnable> hooks = new ArrayList<>();
    private volatile boolean cancelled;

    public void cancel() {
        List<Runnable> told;
        synchronized (this) {
            cancelled = true;
            told = List.copyOf(hooks);
        }
        told.forEach(Runnable::run);
    }

    /** Has something done when this is cancelled, or at once if it is already. */
    public void onCancel(Runnable hook) {
        boolean now;
        synchronized (this) {
            hooks.add(hook);
            now = cancelled;
        }
        if (now) {
            hook.run();
        }
    }

    public boolean isCancelled() {
        return cancelled || Thread.currentThread().isInterrupted();
    }
}
