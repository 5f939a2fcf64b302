// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Where each token of a batch is, so that the rows of a token are added up by one block, in order.
 *
 * @param tokens each once
 * @param starts where the positions of a token begin; one more than there are tokens
 * @param positions of the first token in rising order, then of the second, and so on
 */
record TokenPlaces(int[] tokens, int[] starts, int[] positions) {
    static TokenPlaces of(int[] batch) {
        int[] positions = IntStream.range(0, batch.length)
                .boxed()
                .sorted(Comparator.comparingInt(i -> batch[i])) // stable
                .mapToInt(i -> i)
                .toArray();
        List<Integer> tokens = new ArrayList<>();
        List<Integer> starts = new ArrayList<>();
        for (int i = 0; i < positions.length; i++) {
            if (i == 0 || batch[positions[i]] != batch[positions[i - 1]]) {
                tokens.add(batch[positions[i]]);
                starts.add(i);
            }
        }
        starts.add(positions.length);
        return new TokenPlaces(ints(tokens), ints(starts), positions);
    }

    private static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }
}
