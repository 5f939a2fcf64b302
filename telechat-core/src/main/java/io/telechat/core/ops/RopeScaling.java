// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

/**
 * What fixes the rotation of a position: two calls with equal scaling turn it by the same angles.
 *
 * @param theta effective base of the frequencies, NTK factor included
 * @param magnitude factor on cosine and sine; 1 unless attention is sharpened for long contexts
 * @param halfPrecision whether cosine and sine are rounded to float16, as the 7B, 12B and TeleChat2 models do
 */
public record RopeScaling(double theta, double magnitude, boolean halfPrecision) {}
