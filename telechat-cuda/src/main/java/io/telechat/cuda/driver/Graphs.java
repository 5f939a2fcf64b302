// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;
import java.util.Optional;

/**
 * Lists of launches that have come before. One that comes for the second time becomes a graph of the driver's, and from then on is
 * started as a whole: a step of decoding is some hundred launches of a few microseconds each, which a CPU cannot start that fast.
 */
final class Graphs implements AutoCloseable {
    /** One for each number of sequences and step of their lengths that is in use. */
    private static final int MOST = 64;

    private static final int CAPTURE_THREAD_LOCAL = 1;

    private final Driver driver;
    /** The latest first. */
    private final List<Entry> entries = new LinkedList<>();

    private static final class Entry {
        private final Arena arena = Arena.ofShared();
        private final MemorySegment content;
        private Optional<Long> graph = Optional.empty();

        private Entry(MemorySegment launches) {
            content = arena.allocate(launches.byteSize(), Long.BYTES).copyFrom(launches);
        }

        private boolean is(MemorySegment launches) {
            return content.byteSize() == launches.byteSize() && content.mismatch(launches) < 0;
        }

        private void close(Driver driver) {
            graph.ifPresent(g -> driver.call("cuGraphExecDestroy", List.of(JAVA_LONG), g));
            arena.close();
        }
    }

    Graphs(Driver driver) {
        this.driver = driver;
    }

    /** Carries launches out: as a graph, if the same have come before. */
    void run(Launches launches, long stream) {
        Optional<Entry> known = find(launches.content());
        if (known.isEmpty()) {
            remember(launches.content());
            launches.carryOut(driver, stream);
            return;
        }
        Entry entry = known.get();
        if (entry.graph.isEmpty()) {
            entry.graph = Optional.of(capture(launches, stream));
        }
        driver.launchGraph(entry.graph.get(), stream);
    }

    private Optional<Entry> find(MemorySegment content) {
        for (Iterator<Entry> all = entries.iterator(); all.hasNext(); ) {
            Entry entry = all.next();
            if (entry.is(content)) {
                all.remove();
                entries.addFirst(entry);
                return Optional.of(entry);
            }
        }
        return Optional.empty();
    }

    private void remember(MemorySegment content) {
        entries.addFirst(new Entry(content));
        if (entries.size() > MOST) {
            entries.removeLast().close(driver);
        }
    }

    private long capture(Launches launches, long stream) {
        driver.call("cuStreamBeginCapture_v2", List.of(JAVA_LONG, JAVA_INT), stream, CAPTURE_THREAD_LOCAL);
        long graph;
        try {
            launches.carryOut(driver, stream);
        } finally {
            graph = endCapture(stream);
        }
        try {
            return driver.make("cuGraphInstantiateWithFlags", List.of(JAVA_LONG, JAVA_LONG), graph, 0L);
        } finally {
            driver.call("cuGraphDestroy", List.of(JAVA_LONG), graph);
        }
    }

    private long endCapture(long stream) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment graph = arena.allocate(JAVA_LONG);
            driver.call("cuStreamEndCapture", List.of(JAVA_LONG, java.lang.foreign.ValueLayout.ADDRESS), stream, graph);
            return graph.get(JAVA_LONG, 0);
        }
    }

    @Override
    public void close() {
        entries.forEach(entry -> entry.close(driver));
        entries.clear();
    }
}
