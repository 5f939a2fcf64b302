// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.tensor.SplitMix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * Puts any number of dialogs into random order in bounded memory. Each has a random key, and the order is that of the
 * keys: so it depends on nothing else, neither on who added what first nor on the memory. By the first bits of their keys
 * dialogs go into files, of which one at a time is sorted in memory; their tokens stay where they are.
 */
final class ExternalShuffle implements AutoCloseable {
    private static final int MAX_FILES_BITS = 8;

    /** About what one dialog takes while it is sorted. */
    private static final int SORTED_BYTES = 80;

    /** So many are sorted whatever the memory: a further split would cost more than it saves. */
    private static final int FEW = 1 << 10;

    private static final int BUFFERED = 1 << 8;
    private static final Comparator<StoredDialog> BY_KEY = ((Comparator<StoredDialog>)
                    (a, b) -> Long.compareUnsigned(a.key(), b.key()))
            .thenComparingLong(StoredDialog::place)
            .thenComparingInt(StoredDialog::length);

    private final Path directory;
    private final String name;
    private final long memoryBytes;
    private final int skippedBits;
    private final int bits;
    private final List<DialogIndex> files = new ArrayList<>();

    /**
     * @param files about how many to use, at most 256 are; what is added goes to one each, by its key
     * @param memoryBytes how much may be held at once
     */
    ExternalShuffle(Path directory, String name, int files, long memoryBytes) {
        this(directory, name, bits(files), memoryBytes, 0);
    }

    private ExternalShuffle(Path directory, String name, int bits, long memoryBytes, int skippedBits) {
        this.directory = directory;
        this.name = name;
        this.memoryBytes = memoryBytes;
        this.skippedBits = skippedBits;
        this.bits = bits;
        for (int i = 0; i < 1 << bits; i++) {
            files.add(new DialogIndex(directory.resolve("%s-%d.index".formatted(name, i))));
        }
    }

    private static int bits(long files) {
        return Math.min(MAX_FILES_BITS, Long.SIZE - Long.numberOfLeadingZeros(Math.max(1, files) - 1));
    }

    /** How many files there are. */
    int files() {
        return files.size();
    }

    /** The file that a dialog of this key goes to. */
    int file(long key) {
        return bits == 0 ? 0 : (int) (key << skippedBits >>> Long.SIZE - bits);
    }

    /** For one thread; what it was given is there once it is closed. */
    Appender appender() {
        return new Appender();
    }

    /** Adds dialogs. */
    final class Appender implements AutoCloseable {
        private final List<DialogIndex.Writer> writers =
                files.stream().map(f -> f.writer(BUFFERED)).toList();

        void add(StoredDialog dialog) {
            writers.get(file(dialog.key())).add(dialog);
        }

        @Override
        public void close() {
            writers.forEach(DialogIndex.Writer::close);
        }
    }

    boolean isEmpty() {
        return files.stream().allMatch(f -> f.size() == 0);
    }

    /**
     * Visits the dialogs in the order of their keys, for as long as {@code goOn} says so.
     *
     * @return whether all were visited
     */
    boolean forEach(Predicate<StoredDialog> goOn) {
        for (int i = 0; i < files.size(); i++) {
            DialogIndex file = files.get(i);
            boolean tooLarge = file.size() > Math.max(memoryBytes / 4 / SORTED_BYTES, FEW)
                    && skippedBits + bits < Long.SIZE - MAX_FILES_BITS;
            if (!(tooLarge ? splitFurther(i, goOn) : sorted(file, goOn))) {
                return false;
            }
        }
        return true;
    }

    private static boolean sorted(DialogIndex file, Predicate<StoredDialog> goOn) {
        List<StoredDialog> dialogs = new ArrayList<>((int) file.size());
        file.forEach(0, file.size(), dialogs::add);
        dialogs.sort(BY_KEY);
        return dialogs.stream().allMatch(goOn);
    }

    private boolean splitFurther(int index, Predicate<StoredDialog> goOn) {
        DialogIndex file = files.get(index);
        int parts = bits(8 * file.size() * SORTED_BYTES / Math.max(1, memoryBytes));
        try (ExternalShuffle split = new ExternalShuffle(
                directory, name + "-" + index, Math.max(1, parts), memoryBytes, skippedBits + bits)) {
            try (Appender appender = split.appender()) {
                file.forEach(0, file.size(), appender::add);
            }
            return split.forEach(goOn);
        }
    }

    /** The same dialogs in another random order. */
    ExternalShuffle again(int round) {
        ExternalShuffle next = new ExternalShuffle(directory, name + "-round" + round, bits, memoryBytes, 0);
        try (Appender appender = next.appender()) {
            for (DialogIndex file : files) {
                file.forEach(0, file.size(), d -> appender.add(d.withKey(SplitMix.seed(d.key(), round))));
            }
        } catch (RuntimeException | Error e) {
            next.close();
            throw e;
        }
        return next;
    }

    @Override
    public void close() {
        files.forEach(DialogIndex::close);
        files.clear();
    }
}
