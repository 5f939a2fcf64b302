// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What somebody may have meant by a name that there is not. */
public final class Suggestions {
    private static final int MOST = 3;
    /** One slip of the finger for so many letters. */
    private static final int LETTERS_PER_SLIP = 3;

    private Suggestions() {}

    /** The nearest of some names, best first; none if none is near. A name that begins with what was typed is near. */
    public static List<String> near(String typed, Collection<String> names) {
        int most = Math.max(1, typed.length() / LETTERS_PER_SLIP);
        return names.stream()
                .filter(name -> distance(typed, name) <= most || typed.length() > 2 && name.startsWith(typed))
                .sorted(Comparator.<String>comparingInt(name -> distance(typed, name))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(MOST)
                .toList();
    }

    /** The nearest of all. */
    static Optional<String> nearest(String typed, Collection<String> names) {
        return near(typed, names).stream().findFirst();
    }

    /**
     * How many letters have to be put in, left out, exchanged, or swapped with their neighbours (optimal string alignment: Damerau
     * 1964, "A technique for computer detection and correction of spelling errors"), whatever the case.
     */
    static int distance(String a, String b) {
        int[][] cost = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                int exchanged = cost[i - 1][j - 1] + (same(a, i, b, j) ? 0 : 1);
                cost[i][j] = Math.min(exchanged, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
                if (i > 1 && j > 1 && same(a, i, b, j - 1) && same(a, i - 1, b, j)) {
                    cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
                }
            }
        }
        return cost[a.length()][b.length()];
    }

    private static boolean same(String a, int i, String b, int j) {
        return Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
    }
}
