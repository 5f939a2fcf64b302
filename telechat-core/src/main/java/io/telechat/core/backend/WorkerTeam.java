// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A fixed team of threads that share the tasks of one job at a time; the caller works with them. Neighbouring tasks go to the
 * same thread, so that what they read is one stream; who is done helps the others. Between jobs the threads
 * spin for a moment before they park, because the next formula usually follows within microseconds.
 */
public final class WorkerTeam implements AutoCloseable {
    /** About 50 µs of waiting: longer than the gap between two formulas, shorter than anyone would notice. */
    private static final int SPINS = 2_000;

    /** Part of a job. */
    @FunctionalInterface
    public interface Task {
        /**
         * @param index which part, from 0
         * @param worker which thread of the team does it, for scratch memory of its own
         */
        void run(int index, int worker);
    }

    private static final class Job {
        /** Counters of two threads lie this many longs apart, so that they don't share a cache line. */
        private static final int APART = 16;

        private final int count;
        private final int size;
        private final Task task;
        /** For each thread, the next task of its share. */
        private final AtomicLongArray next;

        private final AtomicInteger remaining;
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        private Job(int count, int size, Task task) {
            this.count = count;
            this.size = size;
            this.task = task;
            this.next = new AtomicLongArray(size * APART);
            this.remaining = new AtomicInteger(count);
            for (int share = 0; share < size; share++) {
                next.setPlain(share * APART, begin(share));
            }
        }

        private long begin(int share) {
            return (long) count * share / size;
        }

        /** The tasks of the own share in order, then what the others have not begun of theirs. */
        private void work(int worker) {
            for (int i = 0; i < size; i++) {
                int share = (worker + i) % size;
                long end = begin(share + 1);
                int at = share * APART;
                while (next.getPlain(at) < end) {
                    long index = next.getAndIncrement(at);
                    if (index < end) {
                        run((int) index, worker);
                    }
                }
            }
        }

        private void run(int index, int worker) {
            try {
                task.run(index, worker);
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
            } finally {
                remaining.decrementAndGet();
            }
        }
    }

    private static final Job IDLE = new Job(0, 1, (index, worker) -> {});

    private final List<Thread> threads = new ArrayList<>();
    private final ReentrantLock oneJobAtATime = new ReentrantLock();
    private volatile Job current = IDLE;
    private volatile boolean closed;

    /** @param size threads in all, the caller's included */
    public WorkerTeam(int size) {
        for (int worker = 1; worker < size; worker++) {
            int number = worker;
            threads.add(Thread.ofPlatform()
                    .daemon()
                    .name("telechat-worker-" + worker)
                    .start(() -> serve(number)));
        }
    }

    public int size() {
        return threads.size() + 1;
    }

    /** Runs {@code count} tasks and returns when all are done. Which thread runs which task is left to chance. */
    public void run(int count, Task task) {
        oneJobAtATime.lock();
        try {
            Job job = new Job(count, size(), task);
            if (count > 1) {
                current = job;
                threads.forEach(LockSupport::unpark);
            }
            job.work(0);
            for (int spin = 0; job.remaining.get() > 0; spin++) {
                if (spin < SPINS) {
                    Thread.onSpinWait();
                } else {
                    Thread.yield(); // on a busy machine, the one that we wait for may not be running
                }
            }
            rethrow(job.failure.get());
        } finally {
            current = IDLE; // lets go of what the job held
            oneJobAtATime.unlock();
        }
    }

    /** Part of a job on many elements, all alike. */
    @FunctionalInterface
    public interface RangeTask {
        void run(long first, long count);
    }

    /** Shares {@code elements} out in ranges of {@code most}, of which the last may be shorter. */
    public void runRanges(long elements, long most, RangeTask task) {
        run(Math.toIntExact(Math.ceilDiv(elements, most)), (index, worker) -> {
            long first = index * most;
            task.run(first, Math.min(most, elements - first));
        });
    }

    private static void rethrow(Throwable failure) {
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }

    private void serve(int worker) {
        Job done = null;
        while (!closed) {
            for (int spin = 0; current == done && spin < SPINS; spin++) {
                Thread.onSpinWait();
            }
            Job job = current;
            if (job == done) {
                LockSupport.park(this);
            } else {
                if (job != IDLE) {
                    job.work(worker);
                }
                done = job;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        threads.forEach(LockSupport::unpark);
    }
}
