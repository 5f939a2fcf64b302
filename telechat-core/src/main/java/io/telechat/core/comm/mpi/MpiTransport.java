// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.mpi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.comm.RankException;
import io.telechat.core.comm.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Ranks that are processes started by {@code mpirun}, on one machine or several. Nothing here blocks inside MPI, whose waiting would
 * keep a core busy: requests are started, and asked after between naps.
 */
public final class MpiTransport implements Transport {
    /** Bytes of one message at most, because MPI counts in 32 bits. */
    private static final long LONGEST = 1L << 30;

    /** Asked after for so long without a nap, which is what short messages take; others may have the core meanwhile. */
    private static final long BUSY_NANOS = 100_000;

    private static final long SHORTEST_NAP = 20_000;
    private static final long LONGEST_NAP = 200_000;

    /** The exit code of a run of which a rank has failed. */
    private static final int ABORTED = 5;

    private final Mpi mpi;
    private final long communicator;
    private final int rank;
    private final int size;
    private final Duration patience;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment request;
    private final MemorySegment flag;
    private final MemorySegment counts;
    private final MemorySegment sendPlaces;
    private final MemorySegment receivePlaces;

    private MpiTransport(Mpi mpi, long communicator, Duration patience) {
        this.mpi = mpi;
        this.communicator = communicator;
        this.rank = mpi.rank(communicator);
        this.size = mpi.size(communicator);
        this.patience = patience;
        this.request = arena.allocate(JAVA_LONG);
        this.flag = arena.allocate(JAVA_INT);
        this.counts = arena.allocate(JAVA_INT, size);
        this.sendPlaces = arena.allocate(JAVA_INT, size);
        this.receivePlaces = arena.allocate(JAVA_INT, size);
    }

    /**
     * Joins the ranks that were started together with this process; once in its life.
     *
     * @param patience how long a rank waits for the others
     * @throws io.telechat.core.InvalidRequestException if there is no MPI
     */
    public static MpiTransport world(Duration patience) {
        Mpi mpi = Mpi.load();
        mpi.init();
        return new MpiTransport(mpi, mpi.world, patience);
    }

    /** Which MPI would be used, such as {@code Open MPI v4.1.4}. */
    public static String version() {
        return Mpi.load().version();
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public String description() {
        return "%d ranks of %s".formatted(size, mpi.version());
    }

    /** As the launcher numbers them; without its help, as if all ranks were here. */
    @Override
    public int numberHere() {
        return Stream.of("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID")
                .map(System.getenv()::get)
                .filter(value -> value != null && value.matches("\\d{1,6}"))
                .findFirst()
                .map(Integer::parseInt)
                .orElse(rank);
    }

    @Override
    public Duration patience() {
        return patience;
    }

    private void await() {
        long start = System.nanoTime();
        long nap = SHORTEST_NAP;
        while (!mpi.test(request, flag)) {
            long waited = System.nanoTime() - start;
            if (waited < BUSY_NANOS) {
                Thread.yield();
                continue;
            }
            if (waited > patience.toNanos()) {
                throw new RankException("rank %d waited %d s for the other ranks in vain", rank, patience.toSeconds());
            }
            LockSupport.parkNanos(nap);
            nap = Math.min(2 * nap, LONGEST_NAP);
        }
    }

    @Override
    public void allToAll(MemorySegment send, long stride, MemorySegment receive, long bytes) {
        for (int r = 0; r < size; r++) {
            counts.setAtIndex(JAVA_INT, r, Math.toIntExact(bytes / Float.BYTES));
            sendPlaces.setAtIndex(JAVA_INT, r, Math.toIntExact(r * stride / Float.BYTES));
            receivePlaces.setAtIndex(JAVA_INT, r, Math.toIntExact(r * bytes / Float.BYTES));
        }
        mpi.allToAll(send, counts, sendPlaces, receive, counts, receivePlaces, mpi.floats, communicator, request);
        await();
    }

    @Override
    public void allGather(MemorySegment part, MemorySegment all) {
        long bytes = part.byteSize();
        boolean isInPlace = part.address() == all.address() + rank * bytes;
        boolean inDoubles = bytes % Double.BYTES == 0; // eight times as many fit into a count
        mpi.allGather(
                isInPlace ? mpi.inPlace : part,
                all,
                Math.toIntExact(inDoubles ? bytes / Double.BYTES : bytes),
                inDoubles ? mpi.doubles : mpi.bytes,
                communicator,
                request);
        await();
    }

    @Override
    public void gather(MemorySegment part, MemorySegment all, int root) {
        mpi.gather(part, all, Math.toIntExact(part.byteSize()), mpi.bytes, root, communicator, request);
        await();
    }

    @Override
    public void broadcast(MemorySegment values, int root) {
        for (long at = 0; at < values.byteSize(); at += LONGEST) {
            MemorySegment part = values.asSlice(at, Math.min(LONGEST, values.byteSize() - at));
            mpi.broadcast(part, (int) part.byteSize(), mpi.bytes, root, communicator, request);
            await();
        }
    }

    @Override
    public Transport split(int color) {
        return new MpiTransport(mpi, mpi.split(communicator, color, rank), patience);
    }

    @Override
    public void abort() {
        mpi.abort(ABORTED);
    }

    @Override
    public void close() {
        if (communicator == mpi.world) {
            mpi.finish();
        }
        arena.close();
    }
}
