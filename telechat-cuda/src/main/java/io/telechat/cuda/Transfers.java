// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.cuda.driver.Event;
import io.telechat.cuda.driver.Stream;
import java.lang.foreign.MemorySegment;

/**
 * Large copies between the memory of this process and a GPU's, through a ring of pinned memory: while the GPU copies one piece, the
 * next is read, be it from a mapped file. Thread-safe.
 */
final class Transfers implements AutoCloseable {
    private static final int PIECES = 4;
    private static final long PIECE = 8 << 20;

    private final Stream stream;
    private final MemorySegment[] ring = new MemorySegment[PIECES];
    private final Event[] copied = new Event[PIECES];
    private int next;

    Transfers(Stream stream) {
        this.stream = stream;
        for (int i = 0; i < PIECES; i++) {
            copied[i] = new Event(stream.device());
        }
    }

    /** Returns when the bytes have been read; they arrive in the order of the stream. */
    synchronized void toDevice(MemorySegment from, long to) {
        for (long at = 0; at < from.byteSize(); at += PIECE) {
            long size = Math.min(PIECE, from.byteSize() - at);
            MemorySegment piece = takePiece(size);
            piece.copyFrom(from.asSlice(at, size));
            stream.copyToDevice(to + at, piece);
            stream.record(copied[next]);
        }
    }

    private MemorySegment takePiece(long size) {
        next = (next + 1) % PIECES;
        if (ring[next] == null) {
            ring[next] = stream.device().allocatePinned(PIECE);
        }
        stream.await(copied[next]);
        return ring[next].asSlice(0, size);
    }

    /** Returns when the bytes are there. */
    synchronized void toHost(MemorySegment to, long from) {
        for (long at = 0; at < to.byteSize(); at += PIECE) {
            long size = Math.min(PIECE, to.byteSize() - at);
            MemorySegment piece = takePiece(size);
            stream.copyToHost(piece, from + at);
            stream.synchronize();
            to.asSlice(at, size).copyFrom(piece);
        }
    }

    @Override
    public void close() {
        stream.synchronize();
        for (int i = 0; i < PIECES; i++) {
            copied[i].close();
            if (ring[i] != null) {
                stream.device().freePinned(ring[i]);
            }
        }
    }
}
