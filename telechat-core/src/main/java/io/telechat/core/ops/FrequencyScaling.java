// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

/**
 * What becomes of the frequencies of a rotation where a model was stretched to a longer context. It holds at every length.
 *
 * @param kind which formula; the other numbers count where it has them
 * @param factor how many times longer the context became
 * @param original length that the model was first trained with
 * @param slow turns within {@code original} below which a pair is stretched by the whole factor
 * @param fast turns within {@code original} above which a pair stays as it is
 */
public record FrequencyScaling(Kind kind, double factor, double original, double slow, double fast) {
    public static final FrequencyScaling NONE = new FrequencyScaling(Kind.NONE, 1, 1, 1, 1);

    /** The formulas. */
    public enum Kind {
        NONE,
        /** Every frequency by the factor (Chen et al. 2023, arXiv:2306.15595). */
        LINEAR,
        /** Between slow and fast, linear in the number of turns (Llama 3.1: {@code _compute_llama3_parameters} of transformers). */
        LLAMA3,
        /** Between slow and fast, linear in the pair's index (Peng et al. 2023, arXiv:2309.00071). */
        YARN
    }

    public static FrequencyScaling linear(double factor) {
        return new FrequencyScaling(Kind.LINEAR, factor, 1, 1, 1);
    }

    public static FrequencyScaling llama3(double factor, double original, double slow, double fast) {
        return new FrequencyScaling(Kind.LLAMA3, factor, original, slow, fast);
    }

    public static FrequencyScaling yarn(double factor, double original, double slow, double fast) {
        return new FrequencyScaling(Kind.YARN, factor, original, slow, fast);
    }

    /**
     * The frequencies of a head's pairs, computed in float32 as the reference does.
     *
     * @return {@code theta^(−2i/headDim)}, scaled, for i from 0 to below headDim/2
     */
    float[] frequencies(double theta, int headDim) {
        float[] frequencies = new float[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float exponent = (float) (2 * i) / headDim;
            float frequency = 1f / (float) Math.pow(theta, exponent);
            frequencies[i] = switch (kind) {
                case NONE -> frequency;
                case LINEAR -> frequency / (float) factor;
                case LLAMA3 -> mixed(frequency, share(original * frequency / (2 * Math.PI), slow, fast));
                case YARN -> mixed(frequency, 1 - share(i, yarnPair(fast, theta, headDim), yarnEnd(theta, headDim)));
            };
        }
        return frequencies;
    }

    /** Where a number lies between two others, from 0 to 1. */
    private static double share(double number, double low, double high) {
        return Math.clamp((number - low) / (high - low), 0, 1);
    }

    /** @param kept share of the frequency that is not scaled */
    private float mixed(float frequency, double kept) {
        return (float) ((1 - kept) * (frequency / (float) factor) + kept * frequency);
    }

    /** The first pair that is scaled at all. */
    private double yarnPair(double turns, double theta, int headDim) {
        return Math.max(Math.floor(yarnIndex(turns, theta, headDim)), 0);
    }

    /** The first pair that is scaled by the whole factor; never that above, which a share could not be taken between. */
    private double yarnEnd(double theta, int headDim) {
        double end = Math.min(Math.ceil(yarnIndex(slow, theta, headDim)), headDim - 1.0);
        return end == yarnPair(fast, theta, headDim) ? end + 0.001 : end;
    }

    /** The pair that turns so often within the original length, as a fraction. */
    private double yarnIndex(double turns, double theta, int headDim) {
        return headDim * Math.log(original / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }
}
