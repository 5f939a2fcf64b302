// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * JSON objects, one on a line, written as they are made: a run that was cut short goes on behind them. The first line says what was
 * asked for; at the end, the lines are put in order. Thread-safe.
 *
 * @param <K> what tells lines apart
 * @param <V> what is kept of a line in memory
 */
public final class LineLog<K, V> implements AutoCloseable {
    private static final int BUFFER = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final Function<JsonNode, K> key;
    private final Function<JsonNode, V> value;
    private final Map<K, Line<V>> lines = new HashMap<>();

    /** Where a line is, and what is kept of it. */
    private record Line<V>(long start, int length, V value) {}

    private LineLog(Path file, FileChannel channel, Function<JsonNode, K> key, Function<JsonNode, V> value) {
        this.file = file;
        this.channel = channel;
        this.key = key;
        this.value = value;
    }

    /**
     * Begins one, or goes on with one.
     *
     * @param settings all that what is written depends on
     * @throws InvalidInputException if there is one that was begun with other settings, or it cannot be written
     */
    public static <K, V> LineLog<K, V> open(
            Path file, JsonNode settings, Function<JsonNode, K> key, Function<JsonNode, V> value) {
        try {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            LineLog<K, V> log = new LineLog<>(file, channel, key, value);
            try {
                log.begin(settings);
                return log;
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", file, IoReason.of(e));
        }
    }

    private void begin(JsonNode settings) throws IOException {
        long end = 0;
        boolean first = true;
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER)) {
            for (byte[] line = line(in); line != null; line = line(in)) {
                JsonNode node = JsonFiles.parse(file.toString(), new String(line, StandardCharsets.UTF_8));
                if (first && !node.equals(JsonFiles.parse("", settings.toString()))) {
                    throw new InvalidInputException(
                            "%s: is of a run with other options that has not come to its end; give those again to go on"
                                    + " with it, or another --out, or delete it",
                            file);
                }
                if (!first) {
                    lines.put(key.apply(node), new Line<>(end, line.length, value.apply(node)));
                }
                first = false;
                end += line.length + 1;
            }
        }
        channel.truncate(end); // half a line, when it was cut short
        channel.position(end);
        if (first) {
            write(settings.toString());
        }
    }

    /** The next one, without the line feed; null if there is no whole one. */
    private static byte[] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next = in.read();
        for (; next >= 0 && next != '\n'; next = in.read()) {
            line.write(next);
        }
        return next < 0 ? null : line.toByteArray();
    }

    /** What is kept of a line, if it is there. */
    public synchronized Optional<V> get(K of) {
        return Optional.ofNullable(lines.get(of)).map(Line::value);
    }

    /** Adds a line. */
    public synchronized void add(ObjectNode line) {
        try {
            long start = channel.position();
            int length = write(line.toString());
            lines.put(key.apply(line), new Line<>(start, length, value.apply(line)));
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", file, IoReason.of(e));
        }
    }

    private int write(String line) throws IOException {
        byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
        ByteBuffer whole = ByteBuffer.allocate(bytes.length + 1);
        whole.put(bytes).put((byte) '\n').flip();
        while (whole.hasRemaining()) {
            channel.write(whole);
        }
        return bytes.length;
    }

    /**
     * Puts the lines in order, under their final name.
     *
     * @param order of all lines
     */
    public synchronized void publish(Path target, List<K> order) {
        OutputFiles.write(target, out -> {
            for (K one : order) {
                Line<V> line = lines.get(one);
                for (long done = 0; done < line.length + 1; ) {
                    done += channel.transferTo(line.start + done, line.length + 1 - done, out);
                }
            }
        });
    }

    /** Removes the file: the run has come to its end. */
    public void delete() {
        close();
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be removed: %s", file, IoReason.of(e));
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", file, IoReason.of(e));
        }
    }
}
