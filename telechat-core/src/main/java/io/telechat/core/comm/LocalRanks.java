// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Ranks that are threads of this process. */
public final class LocalRanks implements AutoCloseable {
    private final Transport transport;
    private final Communicator first;
    private final List<Thread> others = new ArrayList<>();
    private final List<Throwable> failures = new ArrayList<>();

    private LocalRanks(List<Transport> group, Consumer<Communicator> work) {
        this.transport = group.getFirst();
        this.first = new Communicator(transport);
        group.stream().skip(1).forEach(t -> others.add(start(t, work)));
    }

    /**
     * Runs the same work on every rank, and returns when all have ended.
     *
     * @param patience how long a rank waits for the others
     * @throws RuntimeException what the first rank to fail has thrown; the others hear of it and end, too
     */
    public static void run(int size, Duration patience, Consumer<Communicator> work) {
        try (LocalRanks ranks = beside(size, patience, work)) {
            try {
                work.accept(ranks.first);
            } catch (RuntimeException | Error e) {
                ranks.fail(e);
            }
            ranks.others.forEach(LocalRanks::join);
            ranks.throwFailure();
        }
    }

    /**
     * Starts all ranks but the first, which is the caller's.
     *
     * @param patience how long a rank waits for the others
     * @param others what they do; they are ended when the first one fails
     */
    public static LocalRanks beside(int size, Duration patience, Consumer<Communicator> others) {
        return new LocalRanks(LocalTransport.group(size, patience), others);
    }

    /** A group of one. */
    public static Communicator alone() {
        return new Communicator(LocalTransport.group(1, Duration.ZERO).getFirst());
    }

    private Thread start(Transport to, Consumer<Communicator> work) {
        return Thread.ofPlatform().daemon().name("rank-" + to.rank()).start(() -> {
            try (Communicator ranks = new Communicator(to)) {
                work.accept(ranks);
            } catch (RuntimeException | Error e) {
                fail(e);
            }
        });
    }

    private void fail(Throwable e) {
        synchronized (failures) {
            failures.add(e);
        }
        transport.abort();
    }

    /** The first of the ranks. */
    public Communicator first() {
        return first;
    }

    /** What the first rank to fail has thrown; the others fail because of it. */
    public Optional<Throwable> failure() {
        synchronized (failures) {
            return failures.stream().findFirst();
        }
    }

    /** Ends all ranks: they fail with the next thing that they do together. */
    public void abort() {
        transport.abort();
    }

    /** Waits until the others have ended. */
    @Override
    public void close() {
        first.close();
        others.forEach(LocalRanks::join);
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

    /** Throws what the first rank to fail has thrown, if one has failed. */
    public void throwFailure() {
        Throwable first = failure().orElse(null);
        if (first instanceof Error error) {
            throw error;
        }
        if (first != null) {
            throw (RuntimeException) first;
        }
    }
}
