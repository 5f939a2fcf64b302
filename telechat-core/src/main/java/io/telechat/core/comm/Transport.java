// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * How bytes get from rank to rank. Nothing is computed here, so that results do not depend on the transport. One thread calls, and
 * all ranks call the same operations in the same order; each returns when its memory may be used again.
 *
 * <p>All operations throw {@link RankException} when another rank has failed, or does not come within the time that a transport
 * was given.
 */
public interface Transport extends AutoCloseable {
    /** The number of this rank, from 0. */
    int rank();

    /** How many ranks there are. */
    int size();

    /** What carries the bytes, for people. */
    String description();

    /** The number of this rank among those on its machine, from 0: which of several devices is its own. */
    int numberHere();

    /** How long a rank waits for the others. */
    Duration patience();

    /** Throws a {@link RankException} if another rank is known to have failed; for who waits for it by other means. */
    default void checkOthers() {
        // Where a failure ends all processes, nobody is left to ask.
    }

    /**
     * Rank r gets from every rank s what that has at {@code send[r · stride, r · stride + bytes)}, and puts it at
     * {@code receive[s · bytes, …)}.
     */
    void allToAll(MemorySegment send, long stride, MemorySegment receive, long bytes);

    /** Every rank gets the parts of all ranks, one behind the other. Its own may lie in its place of {@code all}. */
    void allGather(MemorySegment part, MemorySegment all);

    /**
     * {@code root} gets the parts of all ranks, one behind the other.
     *
     * @param all written on {@code root} only
     */
    void gather(MemorySegment part, MemorySegment all, int root);

    /** Whether {@link #allGather} fails with a {@link RankException} where the parts of ranks differ in size. */
    default boolean comparesSizes() {
        return false;
    }

    /** Every rank gets what {@code root} has. */
    void broadcast(MemorySegment values, int root);

    /** Ranks of one color make a group of their own, numbered in the order of their numbers here. */
    Transport split(int color);

    /** Tells the other ranks that this one cannot go on, so that they do not wait for it. May end this process. */
    void abort();

    /** Leaves the group; all ranks do. */
    @Override
    void close();
}
