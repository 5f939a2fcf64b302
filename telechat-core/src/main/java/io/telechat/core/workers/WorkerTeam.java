// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.workers;

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

    /** Some neighbouring parts of a job. */
    @FunctionalInterface
    public interface Tasks {
        /**
         * @param first which part is the first, from 0
         * @param end which part is not among them any more
         * @param worker which thread of the team does them, for scratch memory of its own
         */
        void run(int first, int end, int worker);
    }

    private static final class Job {
        /** Counters of two threads lie this many longs apart, so that they don't share a cache line. */
        private static final int APART = 16;

        private final int count;
        private final int size;
        private final boolean together;
        private final Tasks tasks;
        /** For each thread, the next task of its share. */
        private final AtomicLongArray next;

        private final AtomicInteger remaining;
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        private Job(int count, int size, boolean together, Tasks tasks) {
            this.count = count;
            this.size = size;
            this.together = together;
            this.tasks = tasks;
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
                int share = worker + i < size ? worker + i : worker + i - size;
                long end = begin(share + 1);
                int at = share * APART;
                for (long first = next.get(at); first < end; first = next.get(at)) {
                    long taken = together ? first + (end - first + 1) / 2 : first + 1;
                    if (next.compareAndSet(at, first, taken)) {
                        run((int) first, (int) taken, worker);
                    }
                }
            }
        }

        private void run(int first, int end, int worker) {
            try {
                tasks.run(first, end, worker);
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
            } finally {
                remaining.addAndGet(first - end);
            }
        }
    }

    private static final Job IDLE = new Job(0, 1, false, (first, end, worker) -> {});

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
        run(count, false, (first, end, worker) -> task.run(first, worker));
    }

    /**
     * The same for tasks that are small and much alike: a thread takes half of what is left of its share at a time, so that there
     * are few calls, and none waits long for the last one.
     */
    public void runTogether(int count, Tasks tasks) {
        run(count, true, tasks);
    }

    private void run(int count, boolean together, Tasks tasks) {
        oneJobAtATime.lock();
        try {
            Job job = new Job(count, size(), together, tasks);
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

    /** Shares {@code elements} out in ranges that begin at multiples of {@code unit}. */
    public void runRanges(long elements, long unit, RangeTask task) {
        if (elements <= unit) {
            if (elements > 0) {
                task.run(0, elements); // nothing to share
            }
            return;
        }
        runTogether(Math.toIntExact(Math.ceilDiv(elements, unit)), (first, end, worker) -> {
            long begin = first * unit;
            task.run(begin, Math.min(end * unit, elements) - begin);
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
