// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Ranks that are threads of one process: each shows the others where its memory is, and they copy. */
public final class LocalTransport implements Transport {
    /** Bytes that a rank leaves for the others, so that it need not wait until they have them. */
    private static final int LEFT = 1 << 17;

    /** What the ranks of a group share. */
    private static final class Group {
        private final MemorySegment[][] shown;
        private final Object[] handed;
        private final MemorySegment[][] left;
        private final MeetingPoint meeting;

        Group(int size, Duration patience) {
            this.shown = new MemorySegment[2][size];
            this.handed = new Object[size];
            this.left = new MemorySegment[size][2];
            for (MemorySegment[] places : left) {
                places[0] = Arena.ofAuto().allocate(LEFT, Long.BYTES);
                places[1] = Arena.ofAuto().allocate(LEFT, Long.BYTES);
            }
            this.meeting = new MeetingPoint(size, patience);
        }
    }

    private final Group group;
    private final int rank;
    private final int numberHere;
    private int turn;

    private LocalTransport(Group group, int rank, int numberHere) {
        this.group = group;
        this.rank = rank;
        this.numberHere = numberHere;
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
            ranks.add(new LocalTransport(group, rank, rank));
        }
        return ranks;
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int size() {
        return group.handed.length;
    }

    @Override
    public String description() {
        return size() + " threads of one process";
    }

    @Override
    public int numberHere() {
        return numberHere;
    }

    @Override
    public Duration patience() {
        return group.meeting.patience();
    }

    @Override
    public void checkOthers() {
        group.meeting.requireNotAbandoned();
    }

    private void meet() {
        group.meeting.await(rank);
    }

    /**
     * Shows bytes to the others, and returns when all have done so. Where few are shown, it is a copy of them, so that nobody has to
     * wait until the others have read it: it stays until the meeting after the next one, when they all have.
     */
    private void show(MemorySegment bytes) {
        turn = 1 - turn;
        group.shown[turn][rank] = isShort(bytes)
                ? group.left[rank][turn].asSlice(0, bytes.byteSize()).copyFrom(bytes)
                : bytes;
        meet();
    }

    private static boolean isShort(MemorySegment bytes) {
        return bytes.byteSize() <= LEFT;
    }

    /** Waits until all have read what this rank has shown, unless that is a copy. */
    private void leave(MemorySegment bytes) {
        if (!isShort(bytes)) {
            meet();
        }
    }

    private MemorySegment shown(int from, long bytes) {
        MemorySegment theirs = group.shown[turn][from];
        if (theirs.byteSize() != bytes) {
            throw new RankException(
                    "the ranks have come apart: rank %d brings %,d bytes, and rank %d %,d",
                    rank, bytes, from, theirs.byteSize());
        }
        return theirs;
    }

    @Override
    public void allToAll(MemorySegment send, long stride, MemorySegment receive, long bytes) {
        show(send);
        for (int from = 0; from < size(); from++) {
            MemorySegment.copy(group.shown[turn][from], rank * stride, receive, from * bytes, bytes);
        }
        leave(send);
    }

    @Override
    public void allGather(MemorySegment part, MemorySegment all) {
        show(part);
        for (int from = 0; from < size(); from++) {
            MemorySegment theirs = shown(from, part.byteSize());
            MemorySegment place = all.asSlice(from * theirs.byteSize(), theirs.byteSize());
            if (from != rank || place.address() != part.address()) {
                place.copyFrom(theirs);
            }
        }
        leave(part);
    }

    @Override
    public boolean comparesSizes() {
        return true;
    }

    @Override
    public void gather(MemorySegment part, MemorySegment all, int root) {
        show(part);
        for (int from = 0; rank == root && from < size(); from++) {
            all.asSlice(from * part.byteSize(), part.byteSize()).copyFrom(shown(from, part.byteSize()));
        }
        leave(part);
    }

    @Override
    public void broadcast(MemorySegment values, int root) {
        show(values);
        if (rank != root) {
            values.copyFrom(shown(root, values.byteSize()));
        }
        leave(values);
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
            group.handed[rank] = new Group(members.size(), group.meeting.patience());
        }
        meet();
        Group part = (Group) group.handed[members.getFirst()];
        meet();
        return new LocalTransport(part, members.indexOf(rank), numberHere);
    }

    @Override
    public void abort() {
        group.meeting.abandon();
    }

    @Override
    public void close() {
        // The memory of a group is the garbage collector's.
    }
}
