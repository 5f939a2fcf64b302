// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.csv.CsvReadException;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.TelechatException;
import io.telechat.core.checkpoint.Downloads;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.weights.LoadProgress;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Hands out the lines of all sources, some hundreds of kilobytes at a time, to any number of threads, and says where each
 * batch stands in the whole. {@link DataFiles} makes lines of whatever a file holds.
 */
final class LineBatches implements AutoCloseable {
    private static final int BATCH_BYTES = 1 << 18;
    private static final int MAX_LINE_BYTES = 1 << 30;

    /**
     * Whole lines.
     *
     * @param number counts batches over all sources
     * @param source index into the list of sources
     * @param firstLine number of the first line in its file, from 1
     * @param bytes UTF-8
     * @param length so many of {@code bytes} are lines
     * @param ends where each line ends in {@code bytes}, its line feed left out; the next begins one behind
     */
    record Batch(int number, int source, long firstLine, byte[] bytes, int length, int[] ends) {}

    private final List<DataSource> sources;
    private final InputHashes hashes;
    private final LoadProgress progress;
    private final long totalBytes;
    private long doneBytes;
    private int source = -1;
    /** The file as it lies on disk, and what its lines are read from. */
    private InputStream file;

    private InputStream in;
    private long nextLine;
    private byte[] rest = new byte[0];
    private int batches;
    private boolean stopped;

    /** @param hashes get those of the files */
    LineBatches(List<DataSource> sources, InputHashes hashes, LoadProgress progress) {
        this.sources = sources;
        this.hashes = hashes;
        this.progress = progress;
        this.totalBytes = sources.stream().mapToLong(s -> size(s.file())).sum();
    }

    static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    static InvalidModelException unreadable(Path file, IOException e) {
        return new InvalidModelException(e, "%s: cannot be read: %s", file, IoReason.of(e));
    }

    /** No more batches are handed out. */
    synchronized void stop() {
        stopped = true;
    }

    /** @throws InvalidModelException if a file cannot be read or decompressed */
    synchronized Optional<Batch> next() {
        while (!stopped) {
            if (in == null) {
                if (source + 1 == sources.size()) {
                    return Optional.empty();
                }
                open(++source);
            }
            Batch batch = read();
            if (batch != null) {
                return Optional.of(batch);
            }
            readToEnd();
            close();
        }
        return Optional.empty();
    }

    private void open(int index) {
        Path path = sources.get(index).file();
        Downloads.requireWhole(path);
        try {
            file = new CountingStream(hashes.open(path));
            in = file;
            in = DataFiles.lines(path, file, sources.get(index).format().container());
            nextLine = 1;
        } catch (IOException e) {
            close(); // a damaged header is found when the file is open already
            throw unreadable(path, e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** A decompressor stops where its data end. */
    private void readToEnd() {
        try {
            file.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            throw unreadable(sources.get(source).file(), e);
        }
    }

    /** The next whole lines, or null at the end of the file. */
    private Batch read() {
        byte[] bytes = Arrays.copyOf(rest, Math.max(BATCH_BYTES, 2 * rest.length));
        int length = rest.length;
        boolean ended = false;
        int lastFeed = -1;
        while (lastFeed < 0 && !ended) {
            if (length == bytes.length) {
                if (length >= MAX_LINE_BYTES) {
                    throw new InvalidModelException(
                            "%s:%d: a line of more than 1 GiB",
                            sources.get(source).file(), nextLine);
                }
                bytes = Arrays.copyOf(bytes, 2 * length);
            }
            int searched = length;
            while (length < bytes.length && !ended) {
                int got = readSome(bytes, length);
                ended = got < 0;
                length += Math.max(got, 0);
            }
            for (int i = length - 1; i >= searched && lastFeed < 0; i--) {
                if (bytes[i] == '\n') {
                    lastFeed = i;
                }
            }
        }
        int end = ended ? length : lastFeed + 1;
        rest = Arrays.copyOfRange(bytes, end, length);
        if (end == 0) {
            return null;
        }
        Batch batch = new Batch(batches++, source, nextLine, bytes, end, ends(bytes, end));
        nextLine += batch.ends().length;
        progress.loaded(doneBytes, totalBytes);
        return batch;
    }

    private int readSome(byte[] bytes, int from) {
        try {
            return in.read(bytes, from, bytes.length - from);
        } catch (IOException e) {
            throw unreadable(sources.get(source).file(), e);
        } catch (RuntimeException e) { // of iterators and decoders that know no other way
            throw damaged(sources.get(source).file(), e);
        }
    }

    private static TelechatException damaged(Path file, RuntimeException e) {
        if (e instanceof TelechatException known) {
            return known;
        }
        if (e.getCause() instanceof JsonProcessingException json) {
            return new InvalidInputException(
                    e,
                    "%s:%d: malformed %s: %s",
                    file,
                    json.getLocation() == null ? 1 : json.getLocation().getLineNr(),
                    json instanceof CsvReadException ? "CSV" : "JSON",
                    json.getOriginalMessage());
        }
        return unreadable(
                file, e.getCause() instanceof IOException io ? io : new IOException("damaged: " + e.getMessage(), e));
    }

    private static int[] ends(byte[] bytes, int length) {
        int[] ends = new int[64];
        int lines = 0;
        for (int i = 0; i <= length; i++) {
            boolean unfinishedLast = i == length && length > 0 && bytes[length - 1] != '\n';
            if (i < length ? bytes[i] == '\n' : unfinishedLast) {
                if (lines == ends.length) {
                    ends = Arrays.copyOf(ends, 2 * lines);
                }
                ends[lines++] = i;
            }
        }
        return Arrays.copyOf(ends, lines);
    }

    @Override
    public synchronized void close() {
        try {
            if (in != null) {
                in.close();
            }
        } catch (IOException e) {
            throw unreadable(sources.get(source).file(), e);
        } finally {
            in = null;
        }
    }

    /** Counts bytes of the file as it lies on disk, for progress. */
    private final class CountingStream extends FilterInputStream {
        CountingStream(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int read = super.read();
            doneBytes += read < 0 ? 0 : 1;
            return read;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int read = super.read(bytes, from, length);
            doneBytes += Math.max(read, 0);
            return read;
        }
    }
}
