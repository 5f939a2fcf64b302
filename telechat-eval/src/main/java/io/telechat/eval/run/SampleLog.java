// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.eval.task.Score;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What has come of a task's documents, line by line as they are answered: a run that was cut short goes on behind them. The first
 * line says what was asked for; at the end, the lines are put in order.
 */
public final class SampleLog implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final Map<Key, Line> lines = new HashMap<>();

    /** A document of the task. */
    record Key(Optional<String> subtask, int id) {}

    /** Where a line is, and the scores on it. */
    private record Line(long start, int length, List<Score> scores) {}

    private SampleLog(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Begins one, or goes on with one.
     *
     * @param settings all that what comes of a document depends on
     * @throws InvalidInputException if there is one that was begun with other settings, or it cannot be written
     */
    public static SampleLog open(Path directory, String task, JsonNode settings) {
        Path file = directory.resolve("samples_" + task + ".partial.jsonl");
        try {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            SampleLog log = new SampleLog(file, channel);
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
        byte[] bytes = Files.readAllBytes(file);
        int end = 0;
        boolean first = true;
        for (int next = lineEnd(bytes, 0); next >= 0; next = lineEnd(bytes, end)) {
            String line = new String(bytes, end, next - end, StandardCharsets.UTF_8);
            JsonNode node = JsonFiles.parse(file.toString(), line);
            if (first && !node.equals(JsonFiles.parse("", settings.toString()))) {
                throw new InvalidInputException(
                        "%s: is of a run with other options that has not come to its end; give those again to go on"
                                + " with it, or another --out, or delete it",
                        file);
            }
            if (!first) {
                lines.put(key(node), new Line(end, next - end, scores(node)));
            }
            first = false;
            end = next + 1;
        }
        channel.truncate(end); // half a line, when it was cut short
        channel.position(end);
        if (first) {
            write(settings.toString());
        }
    }

    private static int lineEnd(byte[] bytes, int from) {
        for (int i = from; i < bytes.length; i++) {
            if (bytes[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    private static Key key(JsonNode sample) {
        return new Key(
                Optional.ofNullable(sample.path("subtask").textValue()),
                sample.path("doc_id").asInt());
    }

    private static List<Score> scores(JsonNode sample) {
        List<Score> scores = new ArrayList<>();
        sample.path("metrics").properties().forEach(metric -> {
            int comma = metric.getKey().lastIndexOf(',');
            scores.add(new Score(
                    metric.getKey().substring(0, comma),
                    metric.getKey().substring(comma + 1),
                    metric.getValue().isNull()
                            ? OptionalDouble.empty()
                            : OptionalDouble.of(metric.getValue().doubleValue())));
        });
        return scores;
    }

    /** The scores of a document that has been answered. */
    synchronized Optional<List<Score>> scores(Key key) {
        return Optional.ofNullable(lines.get(key)).map(Line::scores);
    }

    /** Adds a document. */
    synchronized void add(ObjectNode sample, List<Score> scores) {
        try {
            long start = channel.position();
            int length = write(sample.toString());
            lines.put(key(sample), new Line(start, length, scores));
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
     * @param order of the documents
     */
    void publish(Path target, List<Key> order) {
        Path temporary = target.resolveSibling(target.getFileName() + ".tmp");
        try (FileChannel out = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            for (Key key : order) {
                Line line = lines.get(key);
                for (long done = 0; done < line.length + 1; ) {
                    done += channel.transferTo(line.start + done, line.length + 1 - done, out);
                }
            }
            out.force(true);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", target, IoReason.of(e));
        }
    }

    /** Removes the file: the run has come to its end. */
    void delete() {
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
