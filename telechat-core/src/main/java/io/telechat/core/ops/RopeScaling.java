// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

/**
 * What fixes the rotation of a position: two calls with equal scaling turn it by the same angles.
 *
 * @param theta effective base of the frequencies, NTK factor included
 * @param frequencies what becomes of them
 * @param magnitude factor on cosine and sine; 1 unless attention is sharpened for long contexts
 * @param halfPrecision whether cosine and sine are rounded to float16, as the 7B, 12B and TeleChat2 models do
 * @param sharpenedFrom queries from the {@code n}-th position on are multiplied by {@code ln(position + 1)/ln(n)}; 0 if none are
 */
public record RopeScaling(
        double theta, FrequencyScaling frequencies, double magnitude, boolean halfPrecision, int sharpenedFrom) {
    /** Without scaled frequencies, and without sharpened queries. */
    public RopeScaling(double theta, double magnitude, boolean halfPrecision) {
        this(theta, FrequencyScaling.NONE, magnitude, halfPrecision, 0);
    }

    /** The factor on the query of a position, from 0. */
    float queryFactor(int position) {
        return sharpenedFrom == 0 || position < sharpenedFrom
                ? 1
                : (float) (Math.log(position + 1.0) / Math.log(sharpenedFrom));
    }
}
