// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Ranks that are threads of this process. */
public final class LocalRanks {
    private LocalRanks() {}

    /**
     * Runs the same work on every rank, and returns when all have ended.
     *
     * @param patience how long a rank waits for the others
     * @throws RuntimeException what the first rank to fail has thrown; the others hear of it and end, too
     */
    public static void run(int size, Duration patience, Consumer<Communicator> work) {
        List<Throwable> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (Transport transport : LocalTransport.group(size, patience)) {
            threads.add(Thread.ofPlatform().name("rank-" + transport.rank()).start(() -> {
                try (Communicator ranks = new Communicator(transport)) {
                    work.accept(ranks);
                } catch (RuntimeException | Error e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                    transport.abort();
                }
            }));
        }
        threads.forEach(LocalRanks::join);
        if (!failures.isEmpty()) {
            throwFirst(failures);
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The others fail because of it. */
    private static void throwFirst(List<Throwable> failures) {
        Throwable first = failures.getFirst();
        failures.stream().skip(1).forEach(first::addSuppressed);
        if (first instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) first;
    }
}
