// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where threads wait until all of them are there, again and again. A short while they stay awake, letting others have the core, for
 * to fall asleep and to be woken takes longer than most of them are late.
 */
final class MeetingPoint {
    private static final long AWAKE_NANOS = 200_000;
    private static final int SPINS = 100;

    private final int size;
    private final Duration patience;
    private final AtomicInteger there = new AtomicInteger();
    private final Object bell = new Object();
    private volatile int meetings;
    private volatile boolean abandoned;

    /** @param patience how long a thread waits for the others */
    MeetingPoint(int size, Duration patience) {
        this.size = size;
        this.patience = patience;
    }

    Duration patience() {
        return patience;
    }

    /**
     * Returns when all threads have called it.
     *
     * @throws RankException if one of them will not come
     */
    void await(int rank) {
        requireNotAbandoned();
        int meeting = meetings;
        if (there.incrementAndGet() == size) {
            there.set(0);
            synchronized (bell) {
                meetings = meeting + 1;
                bell.notifyAll();
            }
            return;
        }
        long start = System.nanoTime();
        for (int spins = 0; meetings == meeting && System.nanoTime() - start < AWAKE_NANOS; spins++) {
            requireNotAbandoned();
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
        if (meetings == meeting) {
            sleep(rank, meeting, start);
        }
    }

    private void sleep(int rank, int meeting, long start) {
        synchronized (bell) {
            while (meetings == meeting) {
                requireNotAbandoned();
                long left = patience.minusNanos(System.nanoTime() - start).toMillis();
                if (left <= 0) {
                    abandon();
                    throw new RankException(
                            "rank %d waited %d s for the other ranks in vain", rank, patience.toSeconds());
                }
                try {
                    bell.wait(Math.min(left, TimeUnit.HOURS.toMillis(1)));
                } catch (InterruptedException e) {
                    abandon();
                    Thread.currentThread().interrupt();
                    throw new RankException(e, "rank %d was interrupted", rank);
                }
            }
        }
    }

    /** @throws RankException if somebody will not come */
    void requireNotAbandoned() {
        if (abandoned) {
            throw new RankException("another rank has failed");
        }
    }

    /** Nobody is waited for any more: who waits, or comes, fails. */
    void abandon() {
        synchronized (bell) {
            abandoned = true;
            bell.notifyAll();
        }
    }
}
