// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A group of ranks that compute together. All of them call the same operations in the same order; the names are MPI's. Operations
 * that return a {@link Pending} run in the order of the calls on a thread of their own, beside the computation.
 *
 * <p>Sums are made in the order of the ranks, by the rank that owns the elements: the same number of ranks gives the same bits
 * over every {@link Transport}. Before data move, the ranks compare what they are about to do, so that two of them that have come
 * apart end with a {@link RankException} instead of wrong numbers.
 *
 * <p>Tensors may be in the memory of devices, once {@link #connect} has been called. Operations on them have their place in the order
 * of the device's work, so that a {@link Pending} of one is not waited for; those that end with {@code Now}, of which a step of
 * decoding has two for each layer, are not compared before.
 */
public final class Communicator implements AutoCloseable {
    private final Transport transport;
    private final int rank;
    private final int size;
    private final Collectives collectives;
    private final ExecutorService thread;
    private volatile boolean failed;
    private final AtomicInteger underWay = new AtomicInteger();
    private Optional<DeviceCollectives> devices = Optional.empty();

    /** Takes over the transport, and closes it with itself. */
    public Communicator(Transport transport) {
        this.transport = transport;
        this.rank = transport.rank();
        this.size = transport.size();
        this.collectives = new Collectives(transport);
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

    /** The number of this rank among those on its machine, from 0. */
    public int numberHere() {
        return transport.numberHere();
    }

    /** How long a rank waits for the others. */
    public Duration patience() {
        return transport.patience();
    }

    /** From now on, tensors may be in the memory of the devices that these operations are of; empty: not any more. */
    public void connect(Optional<DeviceCollectives> operations) {
        devices = operations;
    }

    /**
     * For who waits for another rank by other means than this.
     *
     * @throws RankException if another rank is known to have failed
     */
    public void checkOthers() {
        transport.checkOthers();
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

    /** An operation of the devices, in the order of their work. */
    private void onDevice(Consumer<DeviceCollectives> operation) {
        DeviceCollectives device =
                devices.orElseThrow(() -> new IllegalStateException("the ranks' devices are not connected"));
        if (failed) {
            throw new RankException("an operation among the ranks was given up, because one before it failed");
        }
        try {
            operation.accept(device);
        } catch (RuntimeException | Error e) {
            failed = true;
            throw e;
        }
    }

    /** Likewise, after the ranks have compared what they are about to do. */
    private Pending agreeOnDevice(Collectives.Kind kind, long bytes, Consumer<DeviceCollectives> operation) {
        now(() -> collectives.agree(kind, bytes));
        onDevice(operation);
        return Pending.done();
    }

    /**
     * Every rank gets the sum over all ranks, in place.
     *
     * @param values F32 of the same size on every rank
     */
    public Pending allReduce(Tensor values) {
        requireFloats(values);
        if (!values.isOnHost()) {
            return agreeOnDevice(Collectives.Kind.ALL_REDUCE, values.bytes(), d -> d.allReduce(values));
        }
        MemorySegment segment = values.segment();
        return submit(() -> collectives.allReduce(segment));
    }

    /** Likewise, at its end when this returns: quicker for values that are waited for. */
    public void allReduceNow(Tensor values) {
        requireFloats(values);
        if (!values.isOnHost()) {
            onDevice(d -> d.allReduce(values));
            return;
        }
        MemorySegment segment = values.segment();
        now(() -> collectives.allReduce(segment));
    }

    /**
     * Every rank gets the parts of all ranks, one behind the other.
     *
     * @param part of any type, of the same size on every rank; may lie in its place of {@code all}
     * @param all {@link #size} times as large
     */
    public Pending allGather(Tensor part, Tensor all) {
        requireParts(part, all);
        if (!part.isOnHost()) {
            return agreeOnDevice(Collectives.Kind.ALL_GATHER, part.bytes(), d -> d.allGather(part, all));
        }
        MemorySegment from = part.segment();
        MemorySegment to = all.segment();
        return submit(() -> collectives.allGather(from, to));
    }

    /** Likewise, at its end when this returns. */
    public void allGatherNow(Tensor part, Tensor all) {
        requireParts(part, all);
        if (!part.isOnHost()) {
            onDevice(d -> d.allGather(part, all));
            return;
        }
        now(() -> collectives.allGather(part.segment(), all.segment()));
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
        if (!part.isOnHost()) {
            return agreeOnDevice(Collectives.Kind.REDUCE_SCATTER, part.bytes(), d -> d.reduceScatter(all, part, add));
        }
        MemorySegment from = all.segment();
        MemorySegment to = part.segment();
        return submit(() -> {
            collectives.agree(Collectives.Kind.REDUCE_SCATTER, to.byteSize());
            collectives.reduceScatter(from, to, to.byteSize(), add);
        });
    }

    /** Each rank gets the sum over all ranks of its part, which may lie in its place of {@code all}; see {@link #reduceScatterAdd}. */
    public Pending reduceScatter(Tensor all, Tensor part) {
        return reduceScatter(all, part, false);
    }

    /**
     * The first rank gets the parts of all ranks, one behind the other.
     *
     * @param part of any type, of the same size on every rank
     * @param all on the first rank, {@link #size} times as large; on others it is left as it is
     */
    public void gatherNow(Tensor part, Tensor all) {
        if (rank == 0) {
            requireParts(part, all);
        }
        if (!part.isOnHost()) {
            onDevice(d -> d.gather(part, all));
            return;
        }
        now(() -> collectives.gather(part.segment(), all.segment()));
    }

    /** Every rank gets what {@code root} has, of any type. */
    public Pending broadcast(Tensor values, int root) {
        if (!values.isOnHost()) {
            return agreeOnDevice(Collectives.Kind.BROADCAST, values.bytes(), d -> d.broadcast(values, root));
        }
        MemorySegment segment = values.segment();
        return submit(() -> collectives.broadcast(segment, root));
    }

    /** Likewise, at its end when this returns. */
    public void broadcastNow(Tensor values, int root) {
        if (!values.isOnHost()) {
            onDevice(d -> d.broadcast(values, root));
            return;
        }
        MemorySegment segment = values.segment();
        now(() -> collectives.broadcast(segment, root));
    }

    /** Waits until all ranks are here. */
    public void barrier() {
        now(() -> collectives.agree(Collectives.Kind.BARRIER, 0));
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
                    collectives.agree(Collectives.Kind.ALL_GATHER, bytes);
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
                    collectives.agree(Collectives.Kind.SPLIT, 0);
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
        return collectives.current();
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
