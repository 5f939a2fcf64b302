// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** An operation among the ranks that is under way. Until it is awaited, its memory belongs to it. */
public final class Pending {
    private final CompletableFuture<Void> end;

    Pending(CompletableFuture<Void> end) {
        this.end = end;
    }

    /** Nothing that would have to be waited for. */
    static Pending done() {
        return new Pending(CompletableFuture.completedFuture(null));
    }

    /**
     * Waits for the end.
     *
     * @throws RankException if the ranks cannot go on
     */
    public void await() {
        try {
            end.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw e;
        } catch (CancellationException e) {
            throw new RankException(e, "an operation among the ranks was given up, because one before it failed");
        }
    }
}
