// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import io.telechat.core.InvalidRequestException;
import java.time.Duration;

/**
 * What one program may use.
 *
 * @param time wall clock from its first line on
 * @param memoryBytes address space of each of its processes
 * @param fileBytes all that it writes to files
 * @param processes processes and threads at a time, the program's own included
 */
public record Limits(Duration time, long memoryBytes, long fileBytes, int processes) {
    /** HumanEval's 3 seconds, 4 GiB of memory, 64 MiB of files, 64 processes. */
    public static final Limits DEFAULT = new Limits(Duration.ofSeconds(3), 4L << 30, 64L << 20, 64);

    /** The interpreter takes some 20 MB of address space before the first line. */
    private static final long LEAST_MEMORY = 64L << 20;

    public Limits {
        if (time.compareTo(Duration.ofMillis(1)) < 0 || time.compareTo(Duration.ofHours(1)) > 0) {
            throw new InvalidRequestException("a program's time must be between 1 ms and 1 h, not %s", time);
        }
        if (memoryBytes < LEAST_MEMORY || fileBytes < 1 || processes < 1) {
            throw new InvalidRequestException(
                    "a program needs at least %,d bytes of memory, 1 byte of files and 1 process, not %,d, %,d and %,d",
                    LEAST_MEMORY, memoryBytes, fileBytes, processes);
        }
    }

    /** The same limits with another time. */
    public Limits withTime(Duration time) {
        return new Limits(time, memoryBytes, fileBytes, processes);
    }

    /** Seconds of one processor: never reached before {@link #time} unless it counts several threads. */
    long processorSeconds() {
        return time.toSeconds() + 2;
    }
}
