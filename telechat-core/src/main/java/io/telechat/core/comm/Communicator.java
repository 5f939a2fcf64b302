// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A group of ranks that compute together. All of them call the same operations in the same order; the names are MPI's. Operations
 * that return a {@link Pending} run in the order of the calls on a thread of their own, beside the computation.
 *
 * <p>Sums are made in the order of the ranks, by the rank that owns the elements: the same number of ranks gives the same bits
 * over every {@link Transport}. Before data move, the ranks compare what they are about to do, so that two of them that have come
 * apart end with a {@link RankException} instead of wrong numbers.
 */
public final class Communicator implements AutoCloseable {
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
    private final ExecutorService thread;
    private volatile long operations;
    private volatile boolean failed;
    private volatile Kind current = Kind.BARRIER;
    private final AtomicInteger underWay = new AtomicInteger();

    private enum Kind {
        ALL_REDUCE,
        ALL_GATHER,
        REDUCE_SCATTER,
        BROADCAST,
        BARRIER,
        SPLIT
    }

    /** Takes over the transport, and closes it with itself. */
    public Communicator(Transport transport) {
        this.transport = transport;
        this.rank = transport.rank();
        this.size = transport.size();
        this.header = arena.allocate(HEADER_BYTES, Long.BYTES);
        this.headers = arena.allocate(size * HEADER_BYTES, Long.BYTES);
        this.message = arena.allocate(HEADER_BYTES + SMALL, Long.BYTES);
        this.received = arena.allocate(size * CHUNK, Long.BYTES);
        this.sum = new float[(int) (CHUNK / Float.BYTES)];
        this.other = new float[(int) (CHUNK / Float.BYTES)];
        this.thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("telechat-rank-" + rank).factory());
    }

    /** The number of this rank, from 0. */
    public int rank() {
        return rank;
    }

    /** How many ranks there are. */
    public int size() {
        return size;
    }

    /** What carries the bytes, for people. */
    public String description() {
        return transport.description();
    }

    private interface Operation {
        void run();
    }

    private Pending submit(Operation operation) {
        CompletableFuture<Void> end = new CompletableFuture<>();
        underWay.incrementAndGet();
        thread.execute(() -> {
            try {
                if (failed) {
                    end.cancel(false);
                    return;
                }
                operation.run();
                underWay.decrementAndGet();
                end.complete(null);
            } catch (RuntimeException | Error e) {
                failed = true;
                end.completeExceptionally(e);
            }
        });
        return new Pending(end);
    }

    /** Runs it on the calling thread, unless one before it is still under way, and waits for its end. */
    private void now(Operation operation) {
        if (failed || underWay.get() > 0) {
            submit(operation).await();
            return;
        }
        try {
            operation.run();
        } catch (RuntimeException | Error e) {
            failed = true;
            throw e;
        }
    }

    /**
     * Every rank gets the sum over all ranks, in place.
     *
     * @param values F32 of the same size on every rank
     */
    public Pending allReduce(Tensor values) {
        requireFloats(values);
        MemorySegment segment = values.segment();
        return submit(() -> {
            agree(Kind.ALL_REDUCE, segment.byteSize());
            allReduce(segment);
        });
    }

    /** Likewise, at its end when this returns: quicker for values that are waited for. */
    public void allReduceNow(Tensor values) {
        requireFloats(values);
        MemorySegment segment = values.segment();
        now(() -> {
            if (transport.comparesSizes() && segment.byteSize() <= SMALL) {
                allReduceWithHeader(segment);
            } else {
                agree(Kind.ALL_REDUCE, segment.byteSize());
                allReduce(segment);
            }
        });
    }

    /**
     * Every rank gets the parts of all ranks, one behind the other.
     *
     * @param part of any type, of the same size on every rank; may lie in its place of {@code all}
     * @param all {@link #size} times as large
     */
    public Pending allGather(Tensor part, Tensor all) {
        requireParts(part, all);
        MemorySegment from = part.segment();
        MemorySegment to = all.segment();
        return submit(() -> {
            agree(Kind.ALL_GATHER, from.byteSize());
            transport.allGather(from, to);
        });
    }

    /** Likewise, at its end when this returns. */
    public void allGatherNow(Tensor part, Tensor all) {
        requireParts(part, all);
        now(() -> {
            agree(Kind.ALL_GATHER, part.bytes());
            transport.allGather(part.segment(), all.segment());
        });
    }

    /**
     * Each rank adds the sum over all ranks of its part to what it has.
     *
     * @param all F32, of which rank r owns the r-th of {@link #size} equal parts
     * @param part F32 of that size
     */
    public Pending reduceScatterAdd(Tensor all, Tensor part) {
        return reduceScatter(all, part, true);
    }

    private Pending reduceScatter(Tensor all, Tensor part, boolean add) {
        requireFloats(all);
        requireFloats(part);
        requireParts(part, all);
        MemorySegment from = all.segment();
        MemorySegment to = part.segment();
        return submit(() -> {
            agree(Kind.REDUCE_SCATTER, to.byteSize());
            reduceScatter(from, to, to.byteSize(), add);
        });
    }

    /** Each rank gets the sum over all ranks of its part, which may lie in its place of {@code all}; see {@link #reduceScatterAdd}. */
    public Pending reduceScatter(Tensor all, Tensor part) {
        return reduceScatter(all, part, false);
    }

    /** Every rank gets what {@code root} has, of any type. */
    public Pending broadcast(Tensor values, int root) {
        MemorySegment segment = values.segment();
        return submit(() -> {
            agree(Kind.BROADCAST, segment.byteSize());
            transport.broadcast(segment, root);
        });
    }

    /** Likewise, at its end when this returns. */
    public void broadcastNow(Tensor values, int root) {
        MemorySegment segment = values.segment();
        now(() -> {
            agree(Kind.BROADCAST, segment.byteSize());
            transport.broadcast(segment, root);
        });
    }

    /** Waits until all ranks are here. */
    public void barrier() {
        now(() -> agree(Kind.BARRIER, 0));
    }

    /** The sums over all ranks of some numbers, added in the order of the ranks. */
    public double[] sum(double... values) {
        if (size == 1) {
            return values;
        }
        double[] sums = new double[values.length];
        for (double[] of : gather(values)) {
            for (int i = 0; i < sums.length; i++) {
                sums[i] += of[i];
            }
        }
        return sums;
    }

    /** The numbers of every rank. */
    public double[][] gather(double... values) {
        double[][] all = new double[size][values.length];
        submit(() -> {
                    long bytes = (long) values.length * Double.BYTES;
                    agree(Kind.ALL_GATHER, bytes);
                    try (Arena temporary = Arena.ofShared()) {
                        MemorySegment part = temporary.allocateFrom(ValueLayout.JAVA_DOUBLE, values);
                        MemorySegment parts = temporary.allocate(size * bytes, Double.BYTES);
                        transport.allGather(part, parts);
                        for (int r = 0; r < size; r++) {
                            MemorySegment.copy(parts, ValueLayout.JAVA_DOUBLE, r * bytes, all[r], 0, values.length);
                        }
                    }
                })
                .await();
        return all;
    }

    /** Ranks of one color make a group of their own, numbered in the order of their numbers here. */
    public Communicator split(int color) {
        Transport[] part = new Transport[1];
        submit(() -> {
                    agree(Kind.SPLIT, 0);
                    part[0] = transport.split(color);
                })
                .await();
        return new Communicator(part[0]);
    }

    /** Tells the other ranks that this one cannot go on. May end this process. */
    public void abort() {
        transport.abort();
    }

    private void requireParts(Tensor part, Tensor all) {
        if (all.bytes() != size * part.bytes()) {
            throw new IllegalArgumentException("%s are not %d times %s".formatted(all, size, part));
        }
    }

    private static void requireFloats(Tensor tensor) {
        if (tensor.dtype() != DType.F32) {
            throw new IllegalArgumentException(tensor + " is summed over ranks, and not F32");
        }
    }

    /** The operation that is under way, or was last, in a few words. */
    public String current() {
        return "%s %d".formatted(current, Math.max(0, operations - 1));
    }

    /** Compares what the ranks are about to do. */
    private void agree(Kind kind, long bytes) {
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

    private void allReduce(MemorySegment values) {
        long bytes = values.byteSize();
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

    private void reduceScatter(MemorySegment all, MemorySegment part, long stride, boolean add) {
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

    /** Leaves the group, once what was asked for is done; all ranks do. */
    @Override
    public void close() {
        thread.execute(() -> {
            if (!failed) {
                transport.close();
            }
        });
        thread.close();
    }
}
