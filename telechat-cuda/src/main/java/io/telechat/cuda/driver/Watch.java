// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

/** Looks, while a stream is waited for, whether what that itself waits for can still come. */
@FunctionalInterface
public interface Watch {
    /**
     * Throws what the waiting shall end with, after it has seen to it that the stream gets on without it.
     *
     * @param waitedNanos for how long nothing has come
     */
    void check(long waitedNanos);
}
