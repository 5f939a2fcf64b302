// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Where sequences come in, from any thread, while the engine's own thread may be computing; and what wakes that one up. */
final class Inbox {
    private final int maxBatch;
    private final int maxQueue;

    /** Held for a moment only. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition work = lock.newCondition();
    private final List<Sequence> arrived = new ArrayList<>();
    private int running;
    private int waiting;
    private boolean awake;
    private boolean closed;

    Inbox(int maxBatch, int maxQueue) {
        this.maxBatch = maxBatch;
        this.maxQueue = maxQueue;
    }

    /**
     * @throws QueueFullException if they would have to wait behind too many
     * @throws IllegalStateException if it is closed
     */
    void put(List<Sequence> sequences) {
        lock.lock();
        try {
            requireOpen();
            int queued = arrived.size() + waiting;
            if (queued + sequences.size() > maxQueue + Math.max(0, maxBatch - running)) {
                throw new QueueFullException(queued);
            }
            arrived.addAll(sequences);
            wake();
        } finally {
            lock.unlock();
        }
    }

    /** Puts what has come in behind what waits. */
    void takeInto(Collection<Sequence> queue, int nowRunning) {
        lock.lock();
        try {
            queue.addAll(arrived);
            arrived.clear();
            running = nowRunning;
            waiting = queue.size();
        } finally {
            lock.unlock();
        }
    }

    /** How many have come in and are not waiting yet. */
    int size() {
        lock.lock();
        try {
            return arrived.size();
        } finally {
            lock.unlock();
        }
    }

    void requireOpen() {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the model is closed");
            }
        } finally {
            lock.unlock();
        }
    }

    /** There may be something to do. */
    void wake() {
        lock.lock();
        try {
            awake = true;
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until there may be something to do; false if there never will be again. */
    boolean await() {
        lock.lock();
        try {
            while (!awake && !closed) {
                work.awaitUninterruptibly();
            }
            awake = false;
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    /** Takes nothing any more; false if that is so already. */
    boolean close() {
        lock.lock();
        try {
            boolean first = !closed;
            closed = true;
            work.signal();
            return first;
        } finally {
            lock.unlock();
        }
    }
}
