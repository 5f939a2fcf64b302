// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.Arrays;
import java.util.Objects;

/**
 * The highest logits of a row, and a limit that no other is above: often that is enough to know what all of them would give.
 * They are in the order of their ids, so that a rule that looks at all alike does the same to them, in the same order of sums, as
 * to the row: once all others are negative infinity, what these would add to a sum is an exact zero.
 */
public final class Candidates {
    private final int vocab;
    private int[] ids;
    private float[] values;
    private float limit;

    /**
     * @param vocab how many logits the row has
     * @param ids rising
     * @param values in the order of the ids, neither NaN nor positive infinity
     * @param limit no other logit is above
     */
    public Candidates(int vocab, int[] ids, float[] values, float limit) {
        this.vocab = vocab;
        this.ids = ids;
        this.values = values.clone();
        this.limit = limit;
    }

    public int size() {
        return ids.length;
    }

    public int id(int index) {
        return ids[index];
    }

    /** To be changed in place. */
    public float[] values() {
        return values;
    }

    /**
     * Where an id is; negative if it is none of these.
     *
     * @throws IndexOutOfBoundsException if the row does not have it either
     */
    public int indexOf(int id) {
        return Arrays.binarySearch(ids, Objects.checkIndex(id, vocab));
    }

    /** No other logit is above; NaN if nothing is known. */
    public float limit() {
        return limit;
    }

    public void setLimit(float highest) {
        limit = highest;
    }

    /** Some of the others may have become so much. */
    public void raiseLimit(float possible) {
        limit = Math.max(limit, possible);
    }

    /** Whether all others are negative infinity. */
    public boolean areAll() {
        return limit == Float.NEGATIVE_INFINITY;
    }

    /**
     * Lets all go that are below a threshold.
     *
     * @return false, and nothing is done, if some of the others might not be
     */
    public boolean keepFrom(double threshold) {
        if (!(limit < threshold)) {
            return false;
        }
        int count = 0;
        for (int i = 0; i < ids.length; i++) {
            count += values[i] >= threshold ? 1 : 0;
        }
        int[] keptIds = new int[count];
        float[] keptValues = new float[count];
        for (int i = 0, to = 0; i < ids.length; i++) {
            if (values[i] >= threshold) {
                keptIds[to] = ids[i];
                keptValues[to++] = values[i];
            }
        }
        ids = keptIds;
        values = keptValues;
        limit = Float.NEGATIVE_INFINITY;
        return true;
    }
}
