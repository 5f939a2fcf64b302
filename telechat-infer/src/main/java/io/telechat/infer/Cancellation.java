// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

/** Stops a generation from another thread, or from within a listener; takes effect before the next token. */
public final class Cancellation {
    private volatile boolean cancelled;

    public void cancel() {
        cancelled = true;
    }

    public boolean isCancelled() {
        return cancelled;
    }
}
