// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.weights.LoadProgress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** The default recipe: {@link ExternalShuffle}, {@link BestFitPacking}. */
final class BestFitRecipe implements Recipe {
    /** So many dialogs tell what the reference's packing would have reached. */
    private static final int COMPARED = 200_000;

    private static final int BUFFER_BYTES = 1 << 16;
    private static final int MIN_BUFFER_BYTES = 1 << 12;

    /** A compressed file is expected to hold so many times its size. */
    private static final int COMPRESSION = 5;

    private final DataOptions options;
    private final Encodings encodings;
    private final Path temporary;
    private final DialogStore store;
    private final LineErrors errors;

    /** @param temporary directory for what does not fit into memory */
    BestFitRecipe(DataOptions options, Encodings encodings, Path temporary, DialogStore store, LineErrors errors) {
        this.options = options;
        this.encodings = encodings;
        this.temporary = temporary;
        this.store = store;
        this.errors = errors;
    }

    @Override
    public Outcome fill(
            DataMix.Stage stage, OptionalInt samples, SampleRows rows, int firstSource, LoadProgress progress) {
        List<DataSource> sources = stage.sources();
        LineEncoding encoding = encodings.of(sources, firstSource);
        long[] tooLong = new long[sources.size()];
        ExternalShuffle shuffle =
                new ExternalShuffle(temporary, "stage" + firstSource, files(sources), options.memoryBytes());
        try {
            int[] stores = IntStream.range(0, shuffle.files())
                    .map(i -> store.newFile())
                    .toArray();
            ExternalShuffle filled = shuffle;
            encoding.run(() -> new Copier(sources, firstSource, filled, stores, tooLong), progress);
            if (shuffle.isEmpty()) {
                throw nothingUsable(encoding, sources, Arrays.stream(tooLong).sum());
            }
            Packer packer = new Packer(rows, samples);
            int before = rows.size();
            int rounds = 1;
            while (packer.takeAll(shuffle) && samples.isPresent()) {
                ExternalShuffle used = shuffle;
                shuffle = used.again(rounds++);
                used.close();
            }
            return new Outcome(encoding, rows.size() - before, tooLong, rounds, packer.referenceFillRate());
        } finally {
            shuffle.close();
        }
    }

    private InvalidModelException nothingUsable(LineEncoding encoding, List<DataSource> sources, long tooLong) {
        Message why = tooLong == 0
                ? errors.first()
                        .map(first -> Message.of("no line is usable; the first is %s", first))
                        .orElseGet(() -> Message.of("the files are empty, or the weights leave no line"))
                : Message.of(
                        "%,d of %,d lines make more than %,d tokens; choose a longer --max-seq-len, or --long-dialogs"
                                + " split",
                        tooLong, lines(encoding, sources), options.capacity());
        return new InvalidModelException("%s: no dialog can be used: %s", options.mix(), why);
    }

    private static long lines(LineEncoding encoding, List<DataSource> sources) {
        long lines = 0;
        for (int i = 0; i < sources.size(); i++) {
            lines += encoding.lines(i);
        }
        return lines;
    }

    /** So many that a row's tokens lie in few of them, of which each fits into memory several times. */
    private int files(List<DataSource> sources) {
        double bytes = 0;
        for (DataSource source : sources) {
            boolean compressed = source.file().toString().matches(".*\\.(gz|zst)");
            bytes += LineBatches.size(source.file()) * source.weight() * (compressed ? COMPRESSION : 1);
        }
        return (int) (bytes / Math.max(1, options.memoryBytes() / 8) + 1);
    }

    /** Keeps the lines that the weights choose, and gives each copy a random key. */
    private final class Copier implements LineEncoding.Taker {
        private final List<DataSource> sources;
        private final int firstSource;
        private final long[] tooLong;
        private final ExternalShuffle shuffle;
        private final ExternalShuffle.Appender appender;
        private final DialogStore.Writer[] writers;

        Copier(List<DataSource> sources, int firstSource, ExternalShuffle shuffle, int[] stores, long[] tooLong) {
            this.sources = sources;
            this.firstSource = firstSource;
            this.tooLong = tooLong;
            this.shuffle = shuffle;
            this.appender = shuffle.appender();
            long room = options.memoryBytes() / 4 / options.threads() / stores.length;
            int bytes = Math.clamp(room, MIN_BUFFER_BYTES, BUFFER_BYTES);
            this.writers = new DialogStore.Writer[stores.length];
            Arrays.setAll(writers, i -> store.writer(stores[i], bytes));
        }

        @Override
        public void begin(int number) {
            // Where a batch stands does not matter here.
        }

        @Override
        public void line(DialogEncoder.Encoded encoded, int source, long number) {
            long place = LineEncoding.place(firstSource + source, number);
            if (encoded.tooLong() > 0) {
                errors.addTooLong(firstSource + source, number);
                synchronized (tooLong) {
                    tooLong[source] += encoded.tooLong();
                }
            }
            int copies = copies(place, sources.get(source).weight());
            List<EncodedDialog> dialogs = encoded.dialogs();
            for (int i = 0; copies > 0 && i < dialogs.size(); i++) {
                long key = key(place, i);
                StoredDialog dialog = writers[shuffle.file(key)].add(key, place, firstSource + source, dialogs.get(i));
                appender.add(dialog);
                for (int copy = 1; copy < copies; copy++) {
                    appender.add(dialog.withKey(key(place, copy * dialogs.size() + i)));
                }
            }
        }

        /** A random number that belongs to a use of a line. */
        private long key(long place, int use) {
            return SplitMix.seed(SplitMix.seed(options.seed(), place), use);
        }

        /** The weight's integer part, and once more with the chance of its fraction: a function of seed and place. */
        private int copies(long place, double weight) {
            int whole = (int) weight;
            return whole + (SplitMix.uniform(~options.seed(), place) < weight - whole ? 1 : 0);
        }

        @Override
        public void end() {
            // The writers write when they have enough.
        }

        @Override
        public void close() {
            appender.close();
            for (DialogStore.Writer writer : writers) {
                writer.close();
            }
        }
    }

    /** Takes dialogs until there are enough rows. */
    private final class Packer {
        private final SampleRows rows;
        private final long wanted;
        private final BestFitPacking packing;
        private int[] lengths = new int[1024];
        private int compared;

        Packer(SampleRows rows, OptionalInt samples) {
            this.rows = rows;
            this.wanted = samples.isPresent() ? rows.size() + (long) samples.getAsInt() : Long.MAX_VALUE;
            this.packing = new BestFitPacking(options.capacity(), row -> {
                if (rows.size() < wanted) {
                    rows.add(row);
                }
            });
        }

        /** @return whether more rows are wanted */
        boolean takeAll(ExternalShuffle shuffle) {
            shuffle.forEach(dialog -> {
                if (compared < COMPARED) {
                    lengths = compared == lengths.length ? Arrays.copyOf(lengths, 2 * compared) : lengths;
                    lengths[compared++] = dialog.length();
                }
                packing.add(dialog);
                return rows.size() < wanted;
            });
            if (rows.size() < wanted) {
                packing.flush();
            }
            return rows.size() < wanted;
        }

        double referenceFillRate() {
            return ReferencePacking.fillRate(Arrays.copyOf(lengths, compared), options.rowTokens());
        }
    }
}
