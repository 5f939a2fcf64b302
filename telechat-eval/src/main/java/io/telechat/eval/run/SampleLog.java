// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.task.Score;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** What has come of a task's documents, in a {@link LineLog}. */
public final class SampleLog implements AutoCloseable {
    private final LineLog<Key, List<Score>> lines;

    /** A document of the task. */
    record Key(Optional<String> subtask, int id) {}

    private SampleLog(LineLog<Key, List<Score>> lines) {
        this.lines = lines;
    }

    /**
     * Begins one, or goes on with one.
     *
     * @param settings all that what comes of a document depends on
     * @throws InvalidInputException if there is one that was begun with other settings, or it cannot be written
     */
    public static SampleLog open(Path directory, String task, JsonNode settings) {
        Path file = directory.resolve("samples_" + task + ".partial.jsonl");
        return new SampleLog(LineLog.open(file, settings, SampleLog::key, SampleLog::scores));
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
    Optional<List<Score>> scores(Key key) {
        return lines.get(key);
    }

    /** Adds a document. */
    void add(ObjectNode sample) {
        lines.add(sample);
    }

    /**
     * Puts the lines in order, under their final name.
     *
     * @param order of the documents
     */
    void publish(Path target, List<Key> order) {
        lines.publish(target, order);
    }

    /** Removes the file: the run has come to its end. */
    void delete() {
        lines.delete();
    }

    @Override
    public void close() {
        lines.close();
    }
}
