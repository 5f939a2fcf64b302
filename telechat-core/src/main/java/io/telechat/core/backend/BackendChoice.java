// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import io.telechat.core.InvalidRequestException;
import java.util.Optional;

/**
 * What computes.
 *
 * @param name of the backend; empty for the best one that is usable
 * @param threads number of threads, from 1 to 1024
 * @param device number of the device, from 0, for backends that have several
 */
public record BackendChoice(Optional<String> name, int threads, int device) {
    private static final int MOST_THREADS = 1024;

    public BackendChoice {
        if (threads < 1 || threads > MOST_THREADS) {
            throw new InvalidRequestException("threads is %d, must be from 1 to %d", threads, MOST_THREADS);
        }
    }

    /** On the first device. */
    public BackendChoice(Optional<String> name, int threads) {
        this(name, threads, 0);
    }

    /** The best backend, with all processors. */
    public static BackendChoice best() {
        return new BackendChoice(Optional.empty(), Runtime.getRuntime().availableProcessors());
    }

    public BackendChoice withName(String backend) {
        return new BackendChoice(Optional.of(backend), threads, device);
    }

    public BackendChoice withThreads(int count) {
        return new BackendChoice(name, count, device);
    }

    /**
     * The same for one of several ranks, which have a device each: that of the first one, and those behind it.
     *
     * @param number of the rank on its machine, from 0
     */
    public BackendChoice forRank(int number) {
        return new BackendChoice(name, threads, device + number);
    }
}
