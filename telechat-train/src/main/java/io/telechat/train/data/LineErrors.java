// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Lines that no sample can be made of, of all sources of a run: how many, why, and which was the first. The lines of a file that
 * several stages use are unusable in each, but count towards the limit once.
 */
final class LineErrors {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final List<DataSource> sources;
    private final boolean[] repeated;
    private final long maxErrors;
    private final List<Map<BadLineException.Reason, Long>> counts;
    /** Of all lines left out, by their places; kept only if they are asked for. */
    private final Optional<TreeMap<Long, Reject>> rejects;

    private long total;
    private long firstPlace = Long.MAX_VALUE;
    private Message first = Message.of("");

    /**
     * A line of a file that was left out.
     *
     * @param line its number, from 1, or that of its record
     */
    private record Reject(
            @JsonProperty("file") String file,
            @JsonProperty("line") long line,
            @JsonProperty("reason") String reason,
            @JsonProperty("detail") String detail) {}

    /** @param keep whether {@link #write} will be asked for */
    LineErrors(List<DataSource> sources, long maxErrors, boolean keep) {
        this.rejects = keep ? Optional.of(new TreeMap<>()) : Optional.empty();
        this.sources = sources;
        this.repeated = new boolean[sources.size()];
        Set<Path> files = new HashSet<>();
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = !files.add(sources.get(i).file().normalize());
        }
        this.maxErrors = maxErrors;
        this.counts = sources.stream()
                .map(s -> (Map<BadLineException.Reason, Long>)
                        new EnumMap<BadLineException.Reason, Long>(BadLineException.Reason.class))
                .toList();
    }

    /** @return whether there are too many by now */
    synchronized boolean add(int source, long line, BadLineException error) {
        counts.get(source).merge(error.reason(), 1L, Long::sum);
        if (repeated[source]) {
            return false;
        }
        long place = LineEncoding.place(source, line);
        keep(place, source, line, error.reason().text(), error.detail());
        if (place < firstPlace) {
            firstPlace = place;
            first = Message.of("%s:%d: %s", sources.get(source).file(), line, error.message());
        }
        return ++total > maxErrors;
    }

    /** A dialog, or a part of one, of more tokens than a sample has places; it does not count towards the limit. */
    synchronized void addTooLong(int source, long line) {
        if (!repeated[source]) {
            keep(LineEncoding.place(source, line), source, line, "too long", "more tokens than a sample has places");
        }
    }

    private void keep(long place, int source, long line, String reason, String detail) {
        rejects.ifPresent(
                all -> all.put(place, new Reject(sources.get(source).file().toString(), line, reason, detail)));
    }

    /** Writes what was left out as JSON lines, in the order of the sources. */
    synchronized void write(Path file) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Reject reject : rejects.map(Map::values).orElse(List.of())) {
            lines.append(MAPPER.writeValueAsString(reject)).append('\n');
        }
        Files.writeString(file, lines);
    }

    /** @throws InvalidModelException if there were more than are allowed */
    synchronized void check() {
        if (total > maxErrors) {
            throw maxErrors == 0
                    ? new InvalidModelException("%s; mend it, or skip such lines with --max-errors N", first)
                    : new InvalidModelException(
                            "%,d lines are unusable, more than --max-errors %,d; the first is %s",
                            total, maxErrors, first);
        }
    }

    /** What is wrong with the first unusable line, and where it is. */
    synchronized Optional<Message> first() {
        return total == 0 ? Optional.empty() : Optional.of(first);
    }

    Map<String, Long> counts(int source) {
        Map<String, Long> named = new TreeMap<>();
        counts.get(source).forEach((reason, count) -> named.put(reason.text(), count));
        return named;
    }
}
