// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.comm.Communicator;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.workers.WorkerTeam;
import java.util.List;
import java.util.Optional;

/** Reads and encodes all lines of some sources on several threads, and ranks. */
final class LineEncoding {
    private static final int SOURCE_SHIFT = 44;

    private final List<DataSource> sources;
    private final DialogEncoder encoder;
    private final WorkerTeam team;
    private final Communicator ranks;
    private final LineErrors errors;
    private final InputHashes hashes;
    private final int firstSource;
    private final long[] lines;

    /** Takes what became of the lines of batches, on one thread. */
    interface Taker extends AutoCloseable {
        /** @param number counts batches over all sources */
        void begin(int number);

        void line(DialogEncoder.Encoded line, int source, long number);

        void end();

        @Override
        void close();
    }

    /** Makes one for each thread. */
    interface TakerFactory {
        Taker newTaker();
    }

    /**
     * @param ranks that share the work
     * @param errors of all sources of the run
     * @param hashes likewise
     * @param firstSource number of the first of {@code sources} among those
     */
    LineEncoding(
            List<DataSource> sources,
            DialogEncoder encoder,
            WorkerTeam team,
            Communicator ranks,
            LineErrors errors,
            InputHashes hashes,
            int firstSource) {
        this.sources = sources;
        this.encoder = encoder;
        this.team = team;
        this.ranks = ranks;
        this.errors = errors;
        this.hashes = hashes;
        this.firstSource = firstSource;
        this.lines = new long[sources.size()];
    }

    /** A number for a line among all lines; later lines have higher ones. */
    static long place(int source, long line) {
        return (long) source << SOURCE_SHIFT | line;
    }

    /** @throws io.telechat.core.InvalidModelException if a file cannot be read, or too many lines are unusable */
    void run(TakerFactory factory, LoadProgress progress) {
        try (LineBatches batches = new LineBatches(sources, hashes, progress)) {
            if (ranks.size() == 1) {
                team.run(team.size(), (i, thread) -> work(batches, factory));
            } else {
                lead(batches, factory);
            }
        }
        errors.check();
    }

    /** On another rank than the first: encodes its share of what {@link #run} goes over there. */
    void help() {
        try (LineBatches batches = new LineBatches(sources, hashes, LoadProgress.SILENT)) {
            shared().run(batches, batch -> {});
        }
    }

    private SharedEncoding shared() {
        return new SharedEncoding(ranks, team, this::encode);
    }

    private EncodedBatch encode(LineBatches.Batch batch) {
        return EncodedBatch.of(batch, sources.get(batch.source()).format().form(), encoder);
    }

    /** All batches are gone over, for the other ranks do not know that there are too many errors. */
    private void lead(LineBatches batches, TakerFactory factory) {
        try (Taker taker = factory.newTaker()) {
            shared().run(batches, batch -> take(batch, taker));
        }
    }

    /** Batches are handed out in order, and those in hand are finished: so the first bad line is always found. */
    private void work(LineBatches batches, TakerFactory factory) {
        try (Taker taker = factory.newTaker()) {
            for (Optional<LineBatches.Batch> next = batches.next(); next.isPresent(); next = batches.next()) {
                if (take(encode(next.get()), taker)) {
                    batches.stop();
                }
            }
        } catch (RuntimeException | Error e) {
            batches.stop();
            throw e;
        }
    }

    /** @return whether there are too many errors by now */
    private boolean take(EncodedBatch batch, Taker taker) {
        taker.begin(batch.number());
        boolean tooMany = false;
        for (EncodedBatch.Line line : batch.lines()) {
            if (line.error().isEmpty()) {
                taker.line(line.encoded().orElseThrow(), batch.source(), line.number());
            } else if (!tooMany) {
                tooMany = errors.add(
                        firstSource + batch.source(),
                        line.number(),
                        line.error().get());
            }
        }
        taker.end();
        synchronized (lines) {
            lines[batch.source()] += batch.lines().size();
        }
        return tooMany;
    }

    /** Lines read of a source, blank ones left out. */
    long lines(int source) {
        return lines[source];
    }
}
