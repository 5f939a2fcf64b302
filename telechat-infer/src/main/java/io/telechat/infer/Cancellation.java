// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

/**
 * Stops a generation from another thread, or from within a listener; takes effect before the next token. To interrupt the
 * thread that generates does the same, and leaves it interrupted.
 */
public final class Cancellation {
    private volatile boolean cancelled;

    public void cancel() {
        cancelled = true;
    }

    public boolean isCancelled() {
        return cancelled || Thread.currentThread().isInterrupted();
    }
}
