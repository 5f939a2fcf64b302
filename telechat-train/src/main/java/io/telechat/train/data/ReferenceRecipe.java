// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.model.LoadProgress;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What process_data.py of TeleChat-52B makes, id for id: one stream of Python's generator draws the weights file by file
 * and line by line, and then shuffles; {@link ReferencePacking} goes over the list until there are enough rows. The list's
 * order is drawn in memory, at some 30 bytes a line; the dialogs themselves lie on disk.
 */
final class ReferenceRecipe implements Recipe {
    private final DataOptions options;
    private final WorkerTeam team;
    private final Path temporary;
    private final ReferenceEncoder encoder;

    /** @throws InvalidModelException if the tokenizer is of another flavour */
    ReferenceRecipe(DataOptions options, ChatTokenizer tokenizer, WorkerTeam team, Path temporary) {
        if (tokenizer.template().stopStrings().isEmpty()) {
            throw new InvalidModelException(
                    "%s: --recipe reference is TeleChat-52B's, and this tokenizer is not; leave the option out"
                            .formatted(options.tokenizer()));
        }
        this.options = options;
        this.team = team;
        this.temporary = temporary;
        this.encoder = new ReferenceEncoder(tokenizer.tokenizer());
    }

    /** The lines of a batch: where they lie, and how long the reference finds them. */
    private static final class EncodedLines {
        private long[] starts = new long[64];
        private int[] wholeLengths = new int[64];
        private int[] sources = new int[64];
        private int size;

        void add(long start, int wholeLength, int source) {
            if (size == starts.length) {
                starts = Arrays.copyOf(starts, 2 * size);
                wholeLengths = Arrays.copyOf(wholeLengths, 2 * size);
                sources = Arrays.copyOf(sources, 2 * size);
            }
            starts[size] = start;
            wholeLengths[size] = wholeLength;
            sources[size++] = source;
        }

        void addAll(EncodedLines more) {
            for (int i = 0; i < more.size; i++) {
                add(more.starts[i], more.wholeLengths[i], more.sources[i]);
            }
        }
    }

    @Override
    public Outcome fill(
            DataMix.Stage stage, OptionalInt samples, SampleRows rows, int firstSource, LoadProgress progress) {
        List<DataSource> sources = stage.sources();
        LineEncoding encoding = new LineEncoding(sources, team, options.maxErrors());
        TreeMap<Integer, EncodedLines> byBatch = new TreeMap<>();
        try (DialogSpill spill = new DialogSpill(temporary.resolve("stage%d.spill".formatted(firstSource)));
                Arena arena = Arena.ofShared()) {
            encoding.run(() -> new Encoder(firstSource, spill, byBatch), progress);
            EncodedLines lines = new EncodedLines();
            byBatch.values().forEach(lines::addAll);
            int[] order = weightedOrder(lines, sources, firstSource);
            int[] lengths = IntStream.of(order).map(i -> lines.wholeLengths[i]).toArray();
            long tooLong =
                    IntStream.of(lengths).filter(n -> n >= options.capacity()).count();
            if (lengths.length == 0) {
                throw new InvalidModelException(
                        "%s: no line can be used: the files are empty, or the weights leave none"
                                .formatted(options.mix()));
            }
            if (tooLong == lengths.length) {
                throw new InvalidModelException(
                        "%s: no line can be used: all %,d have %,d tokens or more; choose a longer --max-seq-len"
                                .formatted(options.mix(), lengths.length, options.capacity()));
            }
            int rounds = pack(lengths, order, lines, spill.map(arena), rows, samples);
            long[] tooLongOf = new long[sources.size()];
            for (int i = 0; i < lines.size; i++) {
                tooLongOf[lines.sources[i] - firstSource] += lines.wholeLengths[i] >= options.capacity() ? 1 : 0;
            }
            return new Outcome(encoding, tooLongOf, rounds, ReferencePacking.fillRate(lengths, options.rowTokens()));
        }
    }

    private int[] weightedOrder(EncodedLines lines, List<DataSource> sources, int firstSource) {
        MersenneTwister random = new MersenneTwister(options.seed());
        IntStream.Builder order = IntStream.builder();
        for (int line = 0; line < lines.size; line++) {
            double weight = sources.get(lines.sources[line] - firstSource).weight();
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
    private int pack(
            int[] lengths,
            int[] order,
            EncodedLines lines,
            DialogSpill.Contents contents,
            SampleRows rows,
            OptionalInt samples) {
        long wanted = samples.isPresent() ? rows.size() + (long) samples.getAsInt() : Long.MAX_VALUE;
        if (rows.size() == wanted) {
            return 1;
        }
        int rounds = 0;
        boolean again;
        do {
            rounds++;
            again = ReferencePacking.pack(lengths, options.rowTokens(), taken -> {
                List<DialogSpill.Entry> row = new ArrayList<>(taken.length);
                for (int i : taken) {
                    row.add(contents.entry(lines.starts[order[i]]));
                }
                rows.add(row);
                return rows.size() < wanted;
            });
        } while (again && samples.isPresent());
        return rounds;
    }

    /** Encodes lines in whatever order; the number of its batch says where each belongs. */
    private final class Encoder implements LineEncoding.Worker {
        private static final int BUFFER_BYTES = 1 << 20;

        private final int firstSource;
        private final DialogSpill spill;
        private final TreeMap<Integer, EncodedLines> byBatch;
        private ByteBuffer buffer = DialogSpill.buffer(BUFFER_BYTES);
        private EncodedLines lines;
        private int batch;

        Encoder(int firstSource, DialogSpill spill, TreeMap<Integer, EncodedLines> byBatch) {
            this.firstSource = firstSource;
            this.spill = spill;
            this.byBatch = byBatch;
        }

        @Override
        public void begin(LineBatches.Batch next) {
            batch = next.number();
            lines = new EncodedLines();
        }

        @Override
        public void line(JsonNode line, int source, long number) throws BadLineException {
            String text = ReferenceEncoder.text(line);
            EncodedDialog dialog = encoder.encode(text);
            DialogSpill.Entry entry =
                    new DialogSpill.Entry(0, LineEncoding.place(source, number), firstSource + source, dialog);
            if (buffer.remaining() < entry.bytes()) {
                ByteBuffer larger = DialogSpill.buffer(2 * buffer.capacity() + entry.bytes());
                buffer = larger.put(buffer.flip());
            }
            lines.add(buffer.position(), encoder.wholeLength(text), firstSource + source);
            entry.put(buffer);
        }

        @Override
        public void end() {
            long start = spill.append(buffer.flip());
            buffer.clear();
            for (int i = 0; i < lines.size; i++) {
                lines.starts[i] += start;
            }
            synchronized (byBatch) {
                byBatch.put(batch, lines);
            }
        }

        @Override
        public void close() {
            // All is written at the end of each batch.
        }
    }
}
