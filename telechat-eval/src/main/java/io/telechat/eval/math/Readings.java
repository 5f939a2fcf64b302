// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** The ways to read a text from a place on, in the order of preference, one for each end. */
final class Readings {
    private final Map<Integer, Reading> byEnd = new LinkedHashMap<>();

    private final Set<Integer> continued = new HashSet<>();

    /** @param end index of the first token that is not covered */
    record Reading(Expression expression, int end) {}

    /** Whether this is asked for the first time: what can follow at that end need be looked for once only. */
    boolean isNew(int end) {
        return continued.add(end);
    }

    void add(Expression expression, int end) {
        add(new Reading(expression, end));
    }

    void add(Reading reading) {
        byEnd.putIfAbsent(reading.end, reading);
    }

    void addAll(List<Reading> readings) {
        readings.forEach(this::add);
    }

    List<Reading> list() {
        return List.copyOf(byEnd.values());
    }

    static List<Reading> map(List<Reading> readings, UnaryOperator<Expression> change) {
        return readings.stream()
                .map(reading -> new Reading(change.apply(reading.expression), reading.end))
                .toList();
    }
}
