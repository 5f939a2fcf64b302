// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import java.util.List;

/** Holds back text that may be the beginning of a stop string, so that no part of one ever leaks into the stream. */
final class StopStrings {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean matched;

    StopStrings(List<String> stops) {
        this.stops = stops;
    }

    /** Takes in text, gives out what is certain to belong to the answer. */
    String add(String text) {
        if (stops.isEmpty() || matched) {
            return matched ? "" : text;
        }
        held.append(text);
        int stop = firstStop();
        if (stop >= 0) {
            matched = true;
            return take(stop);
        }
        return take(held.length() - possibleStart());
    }

    /** Whether a stop string has come. */
    boolean hasMatched() {
        return matched;
    }

    /** What was held back at the end of the answer. */
    String finish() {
        return matched ? "" : take(held.length());
    }

    private String take(int count) {
        String text = held.substring(0, count);
        held.delete(0, count);
        return text;
    }

    private int firstStop() {
        int first = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            first = at >= 0 && (first < 0 || at < first) ? at : first;
        }
        return first;
    }

    /** Length of the longest end of the held text that a stop string begins with. */
    private int possibleStart() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }
}
