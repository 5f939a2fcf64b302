// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.cuda.driver.Event;
import io.telechat.cuda.driver.Stream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Small arrays on their way to the GPU: token ids, angles, tables. They go through pinned memory, several copies of it in turn, so
 * that nobody waits for a copy to be made; on the GPU the same arrays of the next step come to lie at the same addresses, which a
 * recorded step needs.
 */
final class Uploads implements AutoCloseable {
    private static final int TURNS = 4;
    private static final long ALIGNMENT = 16;

    private final Stream stream;
    private final MemorySegment[] pinned = new MemorySegment[TURNS];
    private final Event[] copied = new Event[TURNS];
    private long size = 1 << 20;
    private long device;
    private int turn;
    private long used;

    Uploads(Stream stream) {
        this.stream = stream;
        for (int i = 0; i < TURNS; i++) {
            copied[i] = new Event(stream.device());
        }
        allocate();
    }

    private void allocate() {
        device = stream.device().allocate(size);
        for (int i = 0; i < TURNS; i++) {
            pinned[i] = stream.device().allocatePinned(size);
        }
    }

    private void free() {
        stream.synchronize();
        stream.device().free(device);
        for (MemorySegment memory : pinned) {
            stream.device().freePinned(memory);
        }
    }

    /** A new step: its arrays may take the place of those of the step before, whose launches have been handed over. */
    void begin() {
        stream.record(copied[turn]); // behind all copies out of this turn's memory
        turn = (turn + 1) % TURNS;
        stream.await(copied[turn]);
        used = 0;
    }

    /** The address of a copy of these ints; valid until the next step, or until as much as there is room for has followed. */
    long put(int... values) {
        return put(MemorySegment.ofArray(values));
    }

    long put(long... values) {
        return put(MemorySegment.ofArray(values));
    }

    long put(float... values) {
        return put(values, values.length);
    }

    long put(float[] values, int count) {
        return put(MemorySegment.ofArray(values).asSlice(0, (long) count * Float.BYTES));
    }

    private long put(MemorySegment values) {
        if (used + values.byteSize() > size) {
            makeRoom(values.byteSize());
        }
        MemorySegment to = pinned[turn].asSlice(used, values.byteSize());
        MemorySegment.copy(values, ValueLayout.JAVA_BYTE, 0, to, ValueLayout.JAVA_BYTE, 0, values.byteSize());
        long address = device + used;
        if (values.byteSize() > 0) {
            stream.uploadAhead(address, to);
        }
        used += Math.ceilDiv(values.byteSize(), ALIGNMENT) * ALIGNMENT;
        return address;
    }

    /** What is held back reads from here, so it goes first. */
    private void makeRoom(long bytes) {
        stream.flush();
        if (bytes > size / 2) {
            free();
            size = 4 * bytes;
            allocate();
        }
        begin();
    }

    @Override
    public void close() {
        free();
        for (Event event : copied) {
            event.close();
        }
    }
}
