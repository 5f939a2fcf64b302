// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.load;

import java.util.ArrayList;
import java.util.List;

/** When what came of one request, in seconds since it was sent. */
final class Timing {
    private final long start = System.nanoTime();
    private final List<Double> arrivals = new ArrayList<>();
    private double end;
    private int tokens;

    private double now() {
        return (System.nanoTime() - start) / 1e9;
    }

    void arrived() {
        arrivals.add(now());
    }

    void counted(int completionTokens) {
        tokens = completionTokens;
    }

    void ended() {
        end = now();
    }

    boolean isWhole() {
        return end > 0;
    }

    double timeToFirstToken() {
        return arrivals.isEmpty() ? end : arrivals.getFirst();
    }

    double total() {
        return end;
    }

    int tokens() {
        return tokens;
    }

    /** Between two arrivals of text each. */
    List<Double> gaps() {
        List<Double> gaps = new ArrayList<>();
        for (int i = 1; i < arrivals.size(); i++) {
            gaps.add(arrivals.get(i) - arrivals.get(i - 1));
        }
        return gaps;
    }
}
