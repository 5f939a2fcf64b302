// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

/** Compares lists of numbers. */
public final class Vectors {
    private Vectors() {}

    /** {@code |a − b| / |a|}, in Euclid's norm. */
    public static double distance(float[] a, float[] b) {
        double difference = 0;
        double square = 0;
        for (int i = 0; i < a.length; i++) {
            difference += Math.pow((double) a[i] - b[i], 2);
            square += (double) a[i] * a[i];
        }
        return Math.sqrt(difference / square);
    }
}
