// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.InvalidModelException;
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
    private final List<DataSource> sources;
    private final boolean[] repeated;
    private final long maxErrors;
    private final List<Map<BadLineException.Reason, Long>> counts;
    private long total;
    private long firstPlace = Long.MAX_VALUE;
    private String first = "";

    LineErrors(List<DataSource> sources, long maxErrors) {
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
        if (place < firstPlace) {
            firstPlace = place;
            first = "%s:%d: %s".formatted(sources.get(source).file(), line, error.getMessage());
        }
        return ++total > maxErrors;
    }

    /** @throws InvalidModelException if there were more than are allowed */
    synchronized void check() {
        if (total > maxErrors) {
            throw new InvalidModelException(
                    maxErrors == 0
                            ? first + "; mend it, or skip such lines with --max-errors N"
                            : "%,d lines are unusable, more than --max-errors %,d; the first is %s"
                                    .formatted(total, maxErrors, first));
        }
    }

    /** What is wrong with the first unusable line, and where it is. */
    synchronized Optional<String> first() {
        return total == 0 ? Optional.empty() : Optional.of(first);
    }

    Map<String, Long> counts(int source) {
        Map<String, Long> named = new TreeMap<>();
        counts.get(source).forEach((reason, count) -> named.put(reason.text(), count));
        return named;
    }
}
