// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.InvalidModelException;
import io.telechat.core.weights.LoadProgress;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What process_data.py of TeleChat-52B makes, id for id: one stream of Python's generator draws the weights file by file
 * and line by line, and then shuffles; {@link ReferencePacking} goes over the list until there are enough rows. The list's
 * order is drawn in memory, at some 80 bytes a line; the dialogs themselves lie on disk.
 */
final class ReferenceRecipe implements Recipe {
    private final DataOptions options;
    private final Encodings encodings;
    private final DialogStore store;
    private final LineErrors errors;

    ReferenceRecipe(DataOptions options, Encodings encodings, DialogStore store, LineErrors errors) {
        this.options = options;
        this.encodings = encodings;
        this.store = store;
        this.errors = errors;
    }

    /**
     * An encoded line.
     *
     * @param wholeLength how long the reference finds it when it packs
     */
    private record Line(StoredDialog dialog, int wholeLength) {}

    @Override
    public Outcome fill(
            DataMix.Stage stage, OptionalInt samples, SampleRows rows, int firstSource, LoadProgress progress) {
        List<DataSource> sources = stage.sources();
        LineEncoding encoding = encodings.of(sources, firstSource);
        TreeMap<Integer, List<Line>> byBatch = new TreeMap<>();
        int file = store.newFile();
        encoding.run(() -> new Lines(firstSource, file, byBatch), progress);
        List<Line> lines = byBatch.values().stream().flatMap(List::stream).toList();
        int[] order = weightedOrder(lines, sources, firstSource);
        int[] lengths = IntStream.of(order).map(i -> lines.get(i).wholeLength()).toArray();
        long tooLong =
                IntStream.of(lengths).filter(n -> n >= options.capacity()).count();
        if (lengths.length == 0) {
            throw new InvalidModelException(
                    "%s: no line can be used: the files are empty, or the weights leave none", options.mix());
        }
        if (tooLong == lengths.length) {
            throw new InvalidModelException(
                    "%s: no line can be used: all %,d have %,d tokens or more; choose a longer --max-seq-len",
                    options.mix(), lengths.length, options.capacity());
        }
        int before = rows.size();
        int rounds = pack(lengths, order, lines, rows, samples);
        long[] tooLongOf = new long[sources.size()];
        for (Line line : lines) {
            tooLongOf[line.dialog().source() - firstSource] += line.wholeLength() >= options.capacity() ? 1 : 0;
        }
        return new Outcome(
                encoding,
                rows.size() - before,
                tooLongOf,
                rounds,
                ReferencePacking.fillRate(lengths, options.rowTokens()));
    }

    private int[] weightedOrder(List<Line> lines, List<DataSource> sources, int firstSource) {
        MersenneTwister random = new MersenneTwister(options.seed());
        IntStream.Builder order = IntStream.builder();
        for (int line = 0; line < lines.size(); line++) {
            double weight =
                    sources.get(lines.get(line).dialog().source() - firstSource).weight();
            double drawn = random.nextDouble();
            int copies = weight < 1 ? (drawn <= weight ? 1 : 0) : (int) weight + (drawn < weight % 1 ? 1 : 0);
            for (int copy = 0; copy < copies; copy++) {
                order.add(line);
            }
        }
        int[] shuffled = order.build().toArray();
        random.shuffle(shuffled);
        return shuffled;
    }

    /** @return how often the list was begun */
    private int pack(int[] lengths, int[] order, List<Line> lines, SampleRows rows, OptionalInt samples) {
        long wanted = samples.isPresent() ? rows.size() + (long) samples.getAsInt() : Long.MAX_VALUE;
        if (rows.size() == wanted) {
            return 1;
        }
        int rounds = 0;
        boolean again;
        do {
            rounds++;
            again = ReferencePacking.pack(lengths, options.rowTokens(), taken -> {
                rows.add(IntStream.of(taken)
                        .mapToObj(i -> lines.get(order[i]).dialog())
                        .toList());
                return rows.size() < wanted;
            });
        } while (again && samples.isPresent());
        return rounds;
    }

    /** Keeps lines in whatever order they come; the number of its batch says where each belongs. */
    private final class Lines implements LineEncoding.Taker {
        private static final int BUFFER_BYTES = 1 << 20;

        private final int firstSource;
        private final TreeMap<Integer, List<Line>> byBatch;
        private final DialogStore.Writer writer;
        private List<Line> lines;
        private int batch;

        Lines(int firstSource, int file, TreeMap<Integer, List<Line>> byBatch) {
            this.firstSource = firstSource;
            this.byBatch = byBatch;
            this.writer = store.writer(file, BUFFER_BYTES);
        }

        @Override
        public void begin(int number) {
            batch = number;
            lines = new ArrayList<>();
        }

        @Override
        public void line(DialogEncoder.Encoded encoded, int source, long number) {
            EncodedDialog only = encoded.dialogs().getFirst();
            StoredDialog dialog = writer.add(0, LineEncoding.place(source, number), firstSource + source, only);
            if (encoded.tooLong() > 0) {
                errors.addTooLong(firstSource + source, number);
            }
            lines.add(new Line(dialog, encoded.wholeLength()));
        }

        @Override
        public void end() {
            synchronized (byBatch) {
                byBatch.put(batch, lines);
            }
        }

        @Override
        public void close() {
            writer.close();
        }
    }
}
