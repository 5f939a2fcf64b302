// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.load;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a round of a load test gave.
 *
 * @param load how many requests were under way at once, or came a second
 * @param requests that were answered
 * @param errors that were not
 * @param firstError what the first of those said; empty for none
 * @param seconds from the first request to the last answer
 * @param tokens of all answers
 * @param timeToFirstToken in seconds
 * @param gap between two pieces of text of an answer, in seconds
 * @param total from a request to the end of its answer, in seconds
 */
public record LoadReport(
        String load,
        int requests,
        int errors,
        String firstError,
        double seconds,
        long tokens,
        Percentiles timeToFirstToken,
        Percentiles gap,
        Percentiles total) {

    /** Half, and all but one in a hundred, are no more than this. */
    public record Percentiles(double p50, double p99) {
        static Percentiles of(List<Double> values) {
            List<Double> sorted = new ArrayList<>(values);
            Collections.sort(sorted);
            return new Percentiles(at(sorted, 0.5), at(sorted, 0.99));
        }

        private static double at(List<Double> sorted, double share) {
            return sorted.isEmpty() ? 0 : sorted.get((int) Math.ceil(share * sorted.size()) - 1);
        }
    }

    static LoadReport of(String load, List<Timing> timings, List<String> errors, double seconds) {
        return new LoadReport(
                load,
                timings.size(),
                errors.size(),
                errors.isEmpty() ? "" : errors.getFirst(),
                seconds,
                timings.stream().mapToLong(Timing::tokens).sum(),
                Percentiles.of(timings.stream().map(Timing::timeToFirstToken).toList()),
                Percentiles.of(timings.stream().flatMap(t -> t.gaps().stream()).toList()),
                Percentiles.of(timings.stream().map(Timing::total).toList()));
    }

    public double tokensPerSecond() {
        return tokens / seconds;
    }

    public double requestsPerSecond() {
        return requests / seconds;
    }
}
