// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.ops.KvLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention of one query over its context, a block of positions at a time, with the running maximum and denominator of
 * FlashAttention (Dao et al. 2022, arXiv:2205.14135). The order of the sums depends on the block size only.
 */
final class AttentionKernel {
    private static final int BLOCK = KvLayout.BLOCK;

    private AttentionKernel() {}

    /** What one query has gathered so far. */
    static final class State {
        private final float[] out;
        private float max = Float.NEGATIVE_INFINITY;
        private float denominator;

        State(int headDim) {
            this.out = new float[headDim];
        }

        /** Divides by the denominator and writes the result. */
        void finish(float[] to, int index) {
            float factor = 1 / denominator;
            for (int i = 0; i < out.length; i++) {
                to[index + i] = out[i] * factor;
            }
        }

        /** The logarithm of the softmax's denominator. */
        float logSumExp() {
            return max + (float) Math.log(denominator);
        }
    }

    /**
     * Takes one block into account.
     *
     * @param query headDim floats from {@code queryIndex}, scaled by 1/√headDim
     * @param keys [headDim, BLOCK]
     * @param values [BLOCK, headDim]
     * @param valid how many of the block's positions the query may see
     * @param scores scratch, BLOCK floats
     */
    static void block(
            float[] query, int queryIndex, float[] keys, float[] values, int valid, float[] scores, State state) {
        int headDim = state.out.length;
        scores(query, queryIndex, headDim, keys, scores);
        Arrays.fill(scores, valid, BLOCK, Float.NEGATIVE_INFINITY);
        float max = Math.max(state.max, max(scores));
        float sum = exponentials(scores, max, valid);
        float correction = state.max == Float.NEGATIVE_INFINITY ? 0 : ExpKernel.exp(state.max - max);
        state.max = max;
        state.denominator = state.denominator * correction + sum;
        accumulate(scores, valid, values, correction, state.out);
    }

    private static void scores(float[] query, int queryIndex, int headDim, float[] keys, float[] scores) {
        for (int j = 0; j < BLOCK; j += 2 * Lanes.COUNT) {
            FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
            FloatVector sum1 = FloatVector.zero(Lanes.FLOATS);
            for (int d = 0; d < headDim; d++) {
                FloatVector q = FloatVector.broadcast(Lanes.FLOATS, query[queryIndex + d]);
                sum0 = FloatVector.fromArray(Lanes.FLOATS, keys, d * BLOCK + j).fma(q, sum0);
                sum1 = FloatVector.fromArray(Lanes.FLOATS, keys, d * BLOCK + j + Lanes.COUNT)
                        .fma(q, sum1);
            }
            sum0.intoArray(scores, j);
            sum1.intoArray(scores, j + Lanes.COUNT);
        }
    }

    private static float max(float[] scores) {
        FloatVector max = FloatVector.fromArray(Lanes.FLOATS, scores, 0);
        for (int j = Lanes.COUNT; j < BLOCK; j += Lanes.COUNT) {
            max = max.max(FloatVector.fromArray(Lanes.FLOATS, scores, j));
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    /** {@code scores = e^(scores − max)}, zero from {@code valid} on; returns their sum. */
    private static float exponentials(float[] scores, float max, int valid) {
        for (int j = 0; j < BLOCK; j += Lanes.COUNT) {
            ExpKernel.exp(FloatVector.fromArray(Lanes.FLOATS, scores, j).sub(max))
                    .intoArray(scores, j);
        }
        Arrays.fill(scores, valid, BLOCK, 0);
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int j = 0; j < BLOCK; j += Lanes.COUNT) {
            sum = sum.add(FloatVector.fromArray(Lanes.FLOATS, scores, j));
        }
        return Lanes.sum(sum);
    }

    /** {@code out = out · correction + Σ weights[j] · values[j]}. */
    private static void accumulate(float[] weights, int valid, float[] values, float correction, float[] out) {
        int headDim = out.length;
        int i = 0;
        for (; i <= headDim - 2 * Lanes.COUNT; i += 2 * Lanes.COUNT) {
            FloatVector sum0 = FloatVector.fromArray(Lanes.FLOATS, out, i).mul(correction);
            FloatVector sum1 =
                    FloatVector.fromArray(Lanes.FLOATS, out, i + Lanes.COUNT).mul(correction);
            for (int j = 0; j < valid; j++) {
                FloatVector w = FloatVector.broadcast(Lanes.FLOATS, weights[j]);
                sum0 = FloatVector.fromArray(Lanes.FLOATS, values, j * headDim + i)
                        .fma(w, sum0);
                sum1 = FloatVector.fromArray(Lanes.FLOATS, values, j * headDim + i + Lanes.COUNT)
                        .fma(w, sum1);
            }
            sum0.intoArray(out, i);
            sum1.intoArray(out, i + Lanes.COUNT);
        }
        for (; i < headDim; i++) {
            float sum = out[i] * correction;
            for (int j = 0; j < valid; j++) {
                sum = Math.fma(weights[j], values[j * headDim + i], sum);
            }
            out[i] = sum;
        }
    }
}
