// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Kernel launches, written down one behind the other as plain bytes: so a list of them can be carried out, or compared with an
 * earlier list, without an object for each.
 *
 * <p>Calls of libraries may be among them. A launch is six integers - number of the kernel, grid x, y and z, threads, shared bytes - and its arguments, eight bytes each.
 */
final class Launches implements AutoCloseable {
    private static final int HEAD = 6 * Integer.BYTES;
    private static final int SLOT = Long.BYTES;
    private static final int MOST_PARAMETERS = 32;

    /** Kernels, and calls. */
    private final List<Object> targets = new ArrayList<>();

    private Arena arena = Arena.ofShared();
    private MemorySegment bytes = arena.allocate(1 << 16, SLOT);
    private final Arena own = Arena.ofShared();
    private final MemorySegment pointers = own.allocate(ADDRESS, MOST_PARAMETERS);
    private long size;
    private long argument;
    private int count;

    boolean isEmpty() {
        return size == 0;
    }

    void clear() {
        size = 0;
    }

    /** All launches, as bytes. */
    MemorySegment content() {
        return bytes.asSlice(0, size);
    }

    /** Begins a launch, whose arguments are to follow. */
    void begin(Kernel kernel) {
        begin(kernel, kernel.parameters());
    }

    private void begin(Object target, int parameters) {
        int number = targets.indexOf(target);
        if (number < 0) {
            number = targets.size();
            targets.add(target);
        }
        long end = size + HEAD + (long) SLOT * parameters;
        if (end > bytes.byteSize()) {
            grow(end);
        }
        bytes.set(JAVA_INT, size, number);
        argument = size + HEAD;
        count = 0;
    }

    private void grow(long end) {
        Arena larger = Arena.ofShared();
        MemorySegment moved = larger.allocate(2 * end, SLOT);
        MemorySegment.copy(bytes, 0, moved, 0, size);
        arena.close();
        arena = larger;
        bytes = moved;
    }

    void put(long value) {
        bytes.set(JAVA_LONG, argument, value);
        next();
    }

    void put(int value) {
        bytes.set(JAVA_LONG, argument, value & 0xffff_ffffL);
        next();
    }

    void put(float value) {
        bytes.set(JAVA_LONG, argument, Float.floatToRawIntBits(value) & 0xffff_ffffL);
        next();
    }

    private void next() {
        argument += SLOT;
        count++;
    }

    /** The type of the parameter that comes next. */
    char expected() {
        Kernel kernel = (Kernel) targets.get(bytes.get(JAVA_INT, size));
        return count < kernel.parameters() ? kernel.type(count) : '-';
    }

    /** Ends the launch. */
    void end(int x, int y, int z, int threads, int sharedBytes) {
        Kernel kernel = (Kernel) targets.get(bytes.get(JAVA_INT, size));
        if (count != kernel.parameters()) {
            throw new IllegalStateException(
                    "kernel %s takes %d arguments, got %d".formatted(kernel.name(), kernel.parameters(), count));
        }
        kernel.allowShared(sharedBytes);
        write(x, y, z, threads, sharedBytes);
    }

    private void write(int x, int y, int z, int threads, int sharedBytes) {
        bytes.set(JAVA_INT, size + 4, x);
        bytes.set(JAVA_INT, size + 8, y);
        bytes.set(JAVA_INT, size + 12, z);
        bytes.set(JAVA_INT, size + 16, threads);
        bytes.set(JAVA_INT, size + 20, sharedBytes);
        size = argument;
    }

    /** A call in place of a launch. */
    void add(StreamCall call, long... arguments) {
        if (arguments.length != call.parameters()) {
            throw new IllegalStateException(
                    "%s takes %d arguments, got %d".formatted(call.name(), call.parameters(), arguments.length));
        }
        begin(call, arguments.length);
        for (long value : arguments) {
            put(value);
        }
        write(0, 0, 0, 0, 0);
    }

    /** Hands all launches to the driver, in order. */
    void carryOut(Driver driver, long stream) {
        for (long at = 0; at < size; ) {
            Object target = targets.get(bytes.get(JAVA_INT, at));
            if (target instanceof StreamCall call) {
                long[] arguments = bytes.asSlice(at + HEAD, (long) SLOT * call.parameters())
                        .toArray(JAVA_LONG);
                call.start(stream, arguments);
                at += HEAD + (long) SLOT * call.parameters();
                continue;
            }
            Kernel kernel = (Kernel) target;
            for (int i = 0; i < kernel.parameters(); i++) {
                pointers.setAtIndex(JAVA_LONG, i, bytes.address() + at + HEAD + (long) SLOT * i);
            }
            driver.launch(
                    kernel.function(),
                    bytes.get(JAVA_INT, at + 4),
                    bytes.get(JAVA_INT, at + 8),
                    bytes.get(JAVA_INT, at + 12),
                    bytes.get(JAVA_INT, at + 16),
                    bytes.get(JAVA_INT, at + 20),
                    stream,
                    pointers,
                    kernel.name());
            at += HEAD + (long) SLOT * kernel.parameters();
        }
    }

    @Override
    public void close() {
        arena.close();
        own.close();
    }
}
