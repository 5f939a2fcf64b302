// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** Which tokens a sequence has so far, for rules that look back. */
public final class TokenHistory {
    private final Map<Integer, Integer> generatedCounts = new LinkedHashMap<>();
    private final Set<Integer> seen = new LinkedHashSet<>();
    private int generated;

    public TokenHistory(int[] prompt) {
        for (int id : prompt) {
            seen.add(id);
        }
    }

    public void add(int id) {
        seen.add(id);
        generatedCounts.merge(id, 1, Integer::sum);
        generated++;
    }

    /** Ids that occur in the prompt or in the answer. */
    public Iterable<Integer> seen() {
        return seen;
    }

    /** Whether an id is among {@link #seen}. */
    public boolean hasSeen(int id) {
        return seen.contains(id);
    }

    /** How often each id occurs in the answer. */
    public Map<Integer, Integer> generatedCounts() {
        return generatedCounts;
    }

    /** Length of the answer. */
    public int generated() {
        return generated;
    }
}
