// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.tensor.SplitMix;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * Puts any number of dialogs into random order in bounded memory. Each has a random key, and the order is that of the
 * keys: so it depends on nothing else, neither on who added what first nor on the memory. By the first bits of their keys
 * dialogs go into files, of which one at a time is sorted in memory.
 */
final class ExternalShuffle implements AutoCloseable {
    private static final int MAX_FILES_BITS = 8;
    /** A file of this size is sorted whatever the memory: a further split would cost more than it saves. */
    private static final long SMALL_BYTES = 1 << 16;

    private static final int BUFFER_BYTES = 1 << 16;
    private static final int MIN_BUFFER_BYTES = 1 << 12;

    private final Path directory;
    private final String name;
    private final long memoryBytes;
    private final int skippedBits;
    private final int bits;
    private final List<DialogSpill> files = new ArrayList<>();

    /**
     * @param expectedBytes about how much will be added
     * @param memoryBytes how much may be held at once
     */
    ExternalShuffle(Path directory, String name, long expectedBytes, long memoryBytes) {
        this(directory, name, expectedBytes, memoryBytes, 0);
    }

    private ExternalShuffle(Path directory, String name, long expectedBytes, long memoryBytes, int skippedBits) {
        this.directory = directory;
        this.name = name;
        this.memoryBytes = memoryBytes;
        this.skippedBits = skippedBits;
        long wanted = Math.max(1, expectedBytes / Math.max(1, memoryBytes / 8));
        this.bits = Math.min(MAX_FILES_BITS, Long.SIZE - Long.numberOfLeadingZeros(wanted - 1));
        for (int i = 0; i < 1 << bits; i++) {
            files.add(new DialogSpill(directory.resolve("%s-%d.spill".formatted(name, i))));
        }
    }

    private int file(long key) {
        return bits == 0 ? 0 : (int) (key << skippedBits >>> Long.SIZE - bits);
    }

    /** For one thread; what it was given is there once it is closed. */
    Appender appender(int threads) {
        return new Appender(threads);
    }

    /** Collects entries per file, so that writes are large. */
    final class Appender implements AutoCloseable {
        private final ByteBuffer[] buffers = new ByteBuffer[files.size()];

        private Appender(int threads) {
            long room = memoryBytes / 4 / threads / buffers.length;
            int bytes = Math.clamp(room, MIN_BUFFER_BYTES, BUFFER_BYTES);
            for (int i = 0; i < buffers.length; i++) {
                buffers[i] = DialogSpill.buffer(bytes);
            }
        }

        void add(DialogSpill.Entry entry) {
            int file = file(entry.key());
            if (buffers[file].remaining() < entry.bytes()) {
                flush(file);
                if (buffers[file].capacity() < entry.bytes()) {
                    buffers[file] = DialogSpill.buffer(2 * entry.bytes());
                }
            }
            entry.put(buffers[file]);
        }

        private void flush(int file) {
            files.get(file).append(buffers[file].flip());
            buffers[file].clear();
        }

        @Override
        public void close() {
            for (int i = 0; i < buffers.length; i++) {
                flush(i);
            }
        }
    }

    boolean isEmpty() {
        return files.stream().allMatch(f -> f.size() == 0);
    }

    private long size() {
        return files.stream().mapToLong(DialogSpill::size).sum();
    }

    /**
     * Visits the dialogs in the order of their keys, for as long as {@code goOn} says so.
     *
     * @return whether all were visited
     */
    boolean forEach(Predicate<DialogSpill.Entry> goOn) {
        for (int i = 0; i < files.size(); i++) {
            DialogSpill file = files.get(i);
            boolean tooLarge = file.size() > Math.max(memoryBytes / 4, SMALL_BYTES)
                    && skippedBits + bits < Long.SIZE - MAX_FILES_BITS;
            if (!(tooLarge ? splitFurther(i, goOn) : sorted(file, goOn))) {
                return false;
            }
        }
        return true;
    }

    private static boolean sorted(DialogSpill file, Predicate<DialogSpill.Entry> goOn) {
        if (file.size() == 0) {
            return true;
        }
        try (Arena arena = Arena.ofConfined()) {
            DialogSpill.Contents contents = file.map(arena);
            List<Long> starts = new ArrayList<>();
            for (long at = 0; at < contents.size(); at = contents.next(at)) {
                starts.add(at);
            }
            Comparator<Long> byKey = (a, b) -> Long.compareUnsigned(contents.key(a), contents.key(b));
            starts.sort(byKey.thenComparing(contents::place).thenComparing(contents::length));
            return starts.stream().allMatch(at -> goOn.test(contents.entry(at)));
        }
    }

    private boolean splitFurther(int index, Predicate<DialogSpill.Entry> goOn) {
        DialogSpill file = files.get(index);
        try (ExternalShuffle parts = new ExternalShuffle(
                        directory, name + "-" + index, 2 * file.size(), memoryBytes, skippedBits + bits);
                Arena arena = Arena.ofConfined()) {
            DialogSpill.Contents contents = file.map(arena);
            try (Appender appender = parts.appender(1)) {
                for (long at = 0; at < contents.size(); at = contents.next(at)) {
                    appender.add(contents.entry(at));
                }
            }
            return parts.forEach(goOn);
        }
    }

    /** The same dialogs in another random order; this one is closed. */
    ExternalShuffle again(int round) {
        ExternalShuffle next = new ExternalShuffle(directory, "round" + round, size(), memoryBytes);
        try (Appender appender = next.appender(1)) {
            forEach(e -> {
                long key = SplitMix.seed(e.key(), round);
                appender.add(new DialogSpill.Entry(key, e.place(), e.source(), e.dialog()));
                return true;
            });
        }
        close();
        return next;
    }

    @Override
    public void close() {
        files.forEach(DialogSpill::close);
        files.clear();
    }
}
