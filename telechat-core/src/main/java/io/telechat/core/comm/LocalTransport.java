// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Ranks that are threads of one process: each shows the others where its memory is, and they copy. */
public final class LocalTransport implements Transport {
    /** What the ranks of a group share. */
    private static final class Group {
        private final MemorySegment[] shown;
        private final Object[] handed;
        private final CyclicBarrier barrier;
        private final Duration patience;
        private volatile boolean aborted;

        Group(int size, Duration patience) {
            this.shown = new MemorySegment[size];
            this.handed = new Object[size];
            this.barrier = new CyclicBarrier(size);
            this.patience = patience;
        }
    }

    private final Group group;
    private final int rank;

    private LocalTransport(Group group, int rank) {
        this.group = group;
        this.rank = rank;
    }

    /**
     * A group, of which each transport is one thread's.
     *
     * @param patience how long a rank waits for the others
     */
    public static List<Transport> group(int size, Duration patience) {
        Group group = new Group(size, patience);
        List<Transport> ranks = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            ranks.add(new LocalTransport(group, rank));
        }
        return ranks;
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int size() {
        return group.shown.length;
    }

    @Override
    public String description() {
        return size() + " threads of one process";
    }

    private void meet() {
        try {
            if (group.aborted) {
                throw new BrokenBarrierException();
            }
            group.barrier.await(group.patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new RankException(
                    e, "rank %d waited %d s for the other ranks in vain", rank, group.patience.toSeconds());
        } catch (BrokenBarrierException e) {
            throw new RankException(e, "another rank has failed");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RankException(e, "rank %d was interrupted", rank);
        }
    }

    @Override
    public void allToAll(MemorySegment send, long stride, MemorySegment receive, long bytes) {
        group.shown[rank] = send;
        meet();
        for (int from = 0; from < size(); from++) {
            MemorySegment.copy(group.shown[from], rank * stride, receive, from * bytes, bytes);
        }
        meet();
    }

    @Override
    public void allGather(MemorySegment part, MemorySegment all) {
        group.shown[rank] = part;
        meet();
        for (int from = 0; from < size(); from++) {
            MemorySegment theirs = group.shown[from];
            MemorySegment place = all.asSlice(from * theirs.byteSize(), theirs.byteSize());
            if (from != rank || place.address() != part.address()) {
                place.copyFrom(theirs);
            }
        }
        meet();
    }

    @Override
    public void broadcast(MemorySegment values, int root) {
        group.shown[rank] = values;
        meet();
        if (rank != root) {
            values.copyFrom(group.shown[root]);
        }
        meet();
    }

    @Override
    public Transport split(int color) {
        group.handed[rank] = color;
        meet();
        List<Integer> members = new ArrayList<>();
        for (int r = 0; r < size(); r++) {
            if (group.handed[r].equals(color)) {
                members.add(r);
            }
        }
        meet();
        if (members.getFirst() == rank) { // the first one makes the group
            group.handed[rank] = new Group(members.size(), group.patience);
        }
        meet();
        Group part = (Group) group.handed[members.getFirst()];
        meet();
        return new LocalTransport(part, members.indexOf(rank));
    }

    @Override
    public void abort() {
        group.aborted = true;
        group.barrier.reset(); // those who wait go on with an exception
    }

    @Override
    public void close() {
        // The memory of a group is the garbage collector's.
    }
}
