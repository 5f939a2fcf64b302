// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import java.util.Arrays;

/**
 * Guesses that what followed the latest tokens before follows them again (prompt lookup: Saxena 2023): right wherever an answer
 * quotes its prompt, or itself.
 */
public final class NGramDrafter implements Drafter {
    /** So many of the latest tokens are looked for; if they are not found, fewer. */
    private static final int LONGEST = 4;

    private static final int SHORTEST = 2;

    @Override
    public int[] draft(Object sequence, int[] tokens, int length, int most) {
        for (int n = Math.min(LONGEST, length - 1); n >= SHORTEST; n--) {
            for (int end = length - 1; end >= n; end--) {
                if (Arrays.equals(tokens, end - n, end, tokens, length - n, length)) {
                    return Arrays.copyOfRange(tokens, end, Math.min(length, end + most));
                }
            }
        }
        return new int[0];
    }
}
