// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A point in the work of a stream, to be waited for, and the time at which it was reached. */
public final class Event implements AutoCloseable {
    private final Device device;
    private final long event;

    public Event(Device device) {
        this.device = device;
        device.use();
        this.event = device.driver().make("cuEventCreate", List.of(JAVA_INT), 0);
    }

    long handle() {
        return event;
    }

    /** Whether it has been reached, or was never recorded. */
    boolean isReached() {
        device.use();
        return device.driver().isReached(event);
    }

    /** Waits until it is reached; at once if it was never recorded. */
    public void await() {
        device.use();
        device.driver().call("cuEventSynchronize", List.of(JAVA_LONG), event);
    }

    /** Milliseconds from this event, which has been reached, to a later one. */
    public float millisTo(Event later) {
        device.use();
        later.await();
        String name = device.driver().has("cuEventElapsedTime_v2") ? "cuEventElapsedTime_v2" : "cuEventElapsedTime";
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(JAVA_FLOAT);
            device.driver().call(name, List.of(ADDRESS, JAVA_LONG, JAVA_LONG), time, event, later.event);
            return time.get(JAVA_FLOAT, 0);
        }
    }

    @Override
    public void close() {
        device.use();
        device.driver().call("cuEventDestroy_v2", List.of(JAVA_LONG), event);
    }
}
