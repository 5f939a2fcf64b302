// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.workers.WorkerTeam;
import java.util.List;
import java.util.Optional;

/** Reads and encodes all lines of some sources on several threads. */
final class LineEncoding {
    private static final int SOURCE_SHIFT = 44;

    private final List<DataSource> sources;
    private final WorkerTeam team;
    private final LineErrors errors;
    private final InputHashes hashes;
    private final int firstSource;
    private final long[] lines;

    /** Takes what one thread makes of its batches. */
    interface Worker extends AutoCloseable {
        void begin(LineBatches.Batch batch);

        /** @throws BadLineException if no sample can be made of the line */
        void line(JsonNode line, int source, long number) throws BadLineException;

        void end();

        @Override
        void close();
    }

    /** Makes a worker for each thread. */
    interface WorkerFactory {
        Worker newWorker();
    }

    /**
     * @param errors of all sources of the run
     * @param hashes likewise
     * @param firstSource number of the first of {@code sources} among those
     */
    LineEncoding(List<DataSource> sources, WorkerTeam team, LineErrors errors, InputHashes hashes, int firstSource) {
        this.sources = sources;
        this.team = team;
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
    void run(WorkerFactory factory, LoadProgress progress) {
        try (LineBatches batches = new LineBatches(sources, hashes, progress)) {
            team.run(team.size(), (i, thread) -> work(batches, factory));
        }
        errors.check();
    }

    /** Batches are handed out in order, and those in hand are finished: so the first bad line is always found. */
    private void work(LineBatches batches, WorkerFactory factory) {
        try (Worker worker = factory.newWorker()) {
            for (Optional<LineBatches.Batch> next = batches.next(); next.isPresent(); next = batches.next()) {
                LineBatches.Batch batch = next.get();
                worker.begin(batch);
                encode(batch, worker, batches);
                worker.end();
            }
        } catch (RuntimeException | Error e) {
            batches.stop();
            throw e;
        }
    }

    private void encode(LineBatches.Batch batch, Worker worker, LineBatches batches) {
        Optional<DialogForm> form = sources.get(batch.source()).format().form();
        int from = 0;
        int used = 0;
        for (int i = 0; i < batch.ends().length; i++) {
            int end = batch.ends()[i];
            if (!isBlank(batch.bytes(), from, end)) {
                used++;
                try {
                    JsonNode line = DialogForm.normalized(LineJson.object(batch.bytes(), from, end), form);
                    worker.line(line, batch.source(), batch.firstLine() + i);
                } catch (BadLineException e) {
                    if (errors.add(firstSource + batch.source(), batch.firstLine() + i, e)) {
                        batches.stop();
                        break;
                    }
                }
            }
            from = end + 1;
        }
        synchronized (lines) {
            lines[batch.source()] += used;
        }
    }

    private static boolean isBlank(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r') {
                return false;
            }
        }
        return true;
    }

    /** Lines read of a source, blank ones left out. */
    long lines(int source) {
        return lines[source];
    }
}
