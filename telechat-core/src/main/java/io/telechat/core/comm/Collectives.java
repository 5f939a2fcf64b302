// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How the operations of a {@link Communicator} are made of those of its transport: what ranks agree upon before, and how they add up.
 * One operation at a time.
 */
final class Collectives {
    /** Bytes of a rank's part that are under way at once. */
    private static final long CHUNK = 1 << 20;

    /** Sums of so few bytes are made by every rank, after one message. */
    private static final int SMALL = 1 << 16;

    /** Number of the operation, its kind, its bytes. */
    private static final int HEADER = 3;

    private static final long HEADER_BYTES = HEADER * Long.BYTES;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Transport transport;
    private final int rank;
    private final int size;
    private final Arena arena = Arena.ofAuto(); // who never closes a group of one leaves nothing behind
    private final MemorySegment header;
    private final MemorySegment headers;
    private final MemorySegment message;
    private final MemorySegment received;
    private final float[] sum;
    private final float[] other;
    private volatile long operations;
    private volatile Kind current = Kind.BARRIER;

    /** What ranks do together. */
    enum Kind {
        ALL_REDUCE,
        ALL_GATHER,
        REDUCE_SCATTER,
        GATHER,
        BROADCAST,
        BARRIER,
        SPLIT
    }

    Collectives(Transport transport) {
        this.transport = transport;
        this.rank = transport.rank();
        this.size = transport.size();
        this.header = arena.allocate(HEADER_BYTES, Long.BYTES);
        this.headers = arena.allocate(size * HEADER_BYTES, Long.BYTES);
        this.message = arena.allocate(HEADER_BYTES + SMALL, Long.BYTES);
        this.received = arena.allocate(size * CHUNK, Long.BYTES);
        this.sum = new float[(int) (CHUNK / Float.BYTES)];
        this.other = new float[(int) (CHUNK / Float.BYTES)];
    }

    /** The operation that is under way, or was last, in a few words. */
    String current() {
        return "%s %d".formatted(current, Math.max(0, operations - 1));
    }

    /** Compares what the ranks are about to do. */
    void agree(Kind kind, long bytes) {
        begin(header, kind, bytes);
        transport.allGather(header, headers);
        compare(headers, header.byteSize(), bytes);
    }

    private void begin(MemorySegment to, Kind kind, long bytes) {
        current = kind;
        long number = operations;
        operations = number + 1;
        to.setAtIndex(LONG, 0, number);
        to.setAtIndex(LONG, 1, kind.ordinal());
        to.setAtIndex(LONG, 2, bytes);
    }

    /** @param stride bytes from the header of a rank to that of the next one */
    private void compare(MemorySegment headers, long stride, long bytes) {
        MemorySegment mine = headers.asSlice(rank * stride, HEADER_BYTES);
        for (int r = 0; r < size; r++) {
            MemorySegment theirs = headers.asSlice(r * stride, HEADER_BYTES);
            if (theirs.mismatch(mine) >= 0) {
                throw new RankException(
                        "the ranks have come apart: operation %d is %s of %,d bytes on rank %d, and %s of %,d bytes on"
                                + " rank %d",
                        operations - 1, name(mine), bytes, rank, name(theirs), theirs.getAtIndex(LONG, 2), r);
            }
        }
    }

    private static String name(MemorySegment header) {
        int kind = (int) header.getAtIndex(LONG, 1);
        return Kind.values()[Math.clamp(kind, 0, Kind.values().length - 1)].name();
    }

    void allGather(MemorySegment part, MemorySegment all) {
        agree(Kind.ALL_GATHER, part.byteSize());
        transport.allGather(part, all);
    }

    /** The first rank gets the parts of all. */
    void gather(MemorySegment part, MemorySegment all) {
        agree(Kind.GATHER, part.byteSize());
        transport.gather(part, all, 0);
    }

    void broadcast(MemorySegment values, int root) {
        agree(Kind.BROADCAST, values.byteSize());
        transport.broadcast(values, root);
    }

    /** In one message. */
    private void allReduceWithHeader(MemorySegment values) {
        long bytes = HEADER_BYTES + values.byteSize();
        MemorySegment own = message.asSlice(0, bytes);
        begin(own, Kind.ALL_REDUCE, values.byteSize());
        MemorySegment.copy(values, 0, own, HEADER_BYTES, values.byteSize());
        transport.allGather(own, received);
        compare(received, bytes, values.byteSize());
        addUp(received.asSlice(HEADER_BYTES), bytes, values, false);
    }

    /** {@code values = Σ_r values[r]} on every rank, in place. */
    void allReduce(MemorySegment values) {
        long bytes = values.byteSize();
        if (bytes <= SMALL && transport.comparesSizes()) {
            allReduceWithHeader(values);
            return;
        }
        agree(Kind.ALL_REDUCE, bytes);
        if (bytes <= SMALL) {
            transport.allGather(values, received);
            addUp(received, bytes, values, false);
            return;
        }
        // Each rank sums a piece of every chunk, and hands it to the others.
        long chunk = size * CHUNK;
        for (long at = 0; at < bytes; at += chunk) {
            MemorySegment now = values.asSlice(at, Math.min(chunk, bytes - at));
            long piece = now.byteSize() / Float.BYTES / size * Float.BYTES;
            if (piece > 0) {
                MemorySegment even = now.asSlice(0, piece * size);
                MemorySegment own = even.asSlice(rank * piece, piece);
                reduceScatter(even, own, piece, false);
                transport.allGather(own, even);
            }
            MemorySegment rest = now.asSlice(piece * size);
            if (rest.byteSize() > 0) {
                transport.allGather(rest, received);
                addUp(received, rest.byteSize(), rest, false);
            }
        }
    }

    /**
     * {@code part (+)= Σ_r all[r · stride, …)} of this rank.
     *
     * @param stride bytes from the part of a rank to that of the next one
     */
    void reduceScatter(MemorySegment all, MemorySegment part, long stride, boolean add) {
        for (long at = 0; at < part.byteSize(); at += CHUNK) {
            long bytes = Math.min(CHUNK, part.byteSize() - at);
            transport.allToAll(all.asSlice(at), stride, received, bytes);
            addUp(received, bytes, part.asSlice(at, bytes), add);
        }
    }

    /**
     * {@code to (+)= Σ_r from[r]}, in the order of the ranks.
     *
     * @param stride bytes from the values of a rank to those of the next one
     */
    private void addUp(MemorySegment from, long stride, MemorySegment to, boolean add) {
        long bytes = to.byteSize();
        int count = (int) (bytes / Float.BYTES);
        MemorySegment.copy(from, FLOAT, 0, sum, 0, count);
        for (int r = 1; r < size; r++) {
            MemorySegment.copy(from, FLOAT, r * stride, other, 0, count);
            addTo(sum, other, count);
        }
        if (add) {
            MemorySegment.copy(to, FLOAT, 0, other, 0, count);
            addTo(sum, other, count);
        }
        MemorySegment.copy(sum, 0, to, FLOAT, 0, count);
    }

    private static void addTo(float[] sum, float[] other, int count) {
        for (int i = 0; i < count; i++) {
            sum[i] += other[i];
        }
    }
}
