// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.ops.KvLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention of some queries of one head over their context, a stretch of positions at a time: scores, weights and the weighted
 * sum of the values, which is then folded into what was gathered before (flash-decoding: Dao et al. 2023, on FlashAttention,
 * arXiv:2205.14135). The order of the sums depends on the sizes of blocks and stretches only.
 */
final class AttentionKernel {
    private static final int BLOCK = KvLayout.BLOCK;
    private static final int STRETCH = Kernels.STRETCH;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final float[] queries;
    private final int headDim;
    /** Scores and then weights of the current stretch, [queries, STRETCH]. */
    private final float[] scores;
    /** What each query gathers in the current stretch. */
    private final State[] fresh;

    private final State[] states;

    /** @param queries [count, headDim], scaled by 1/√headDim */
    AttentionKernel(float[] queries, int count, int headDim) {
        this.queries = queries;
        this.headDim = headDim;
        this.scores = new float[count * STRETCH];
        this.fresh = new State[count];
        this.states = new State[count];
        for (int i = 0; i < count; i++) {
            states[i] = new State(headDim);
            fresh[i] = new State(headDim);
        }
    }

    /** What one query has gathered. */
    static final class State {
        private final float[] out;
        private float max = Float.NEGATIVE_INFINITY;
        private float denominator;

        State(int headDim) {
            this.out = new float[headDim];
        }

        /** As {@link AttentionKernel#write} leaves it; {@code index} in floats. */
        static State read(MemorySegment from, long index, int headDim) {
            State state = new State(headDim);
            state.max = from.get(FLOAT, 4 * index);
            state.denominator = from.get(FLOAT, 4 * (index + 1));
            MemorySegment.copy(from, FLOAT, 4 * (index + 2), state.out, 0, headDim);
            return state;
        }

        /** Takes in what was gathered further on in the context. */
        void fold(State next) {
            float larger = Math.max(max, next.max);
            if (larger == Float.NEGATIVE_INFINITY) {
                return; // neither has seen anything
            }
            float old = ExpKernel.exp(max - larger);
            float factor = ExpKernel.exp(next.max - larger);
            max = larger;
            denominator = denominator * old + next.denominator * factor;
            for (int i = 0; i < out.length; i++) {
                out[i] = Math.fma(next.out[i], factor, out[i] * old);
            }
        }

        /** Divides by the denominator. */
        void finish(float[] to) {
            float factor = 1 / denominator;
            for (int i = 0; i < out.length; i++) {
                to[i] = out[i] * factor;
            }
        }

        /** The logarithm of the softmax's denominator. */
        float logSumExp() {
            return max + (float) Math.log(denominator);
        }
    }

    /**
     * @param keys [headDim, BLOCK]
     * @param at of the block's first position, counted within the stretch
     * @param sees how many of the stretch's positions each query sees
     */
    void scores(float[] keys, int at, int[] sees) {
        for (int q = 0; q < sees.length; q++) {
            if (sees[q] > at) {
                scores(keys, q * headDim, q * STRETCH + at);
            }
        }
    }

    private void scores(float[] keys, int query, int to) {
        for (int j = 0; j < BLOCK; j += 2 * Lanes.COUNT) {
            FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
            FloatVector sum1 = FloatVector.zero(Lanes.FLOATS);
            for (int d = 0; d < headDim; d++) {
                FloatVector q = FloatVector.broadcast(Lanes.FLOATS, queries[query + d]);
                sum0 = FloatVector.fromArray(Lanes.FLOATS, keys, d * BLOCK + j).fma(q, sum0);
                sum1 = FloatVector.fromArray(Lanes.FLOATS, keys, d * BLOCK + j + Lanes.COUNT)
                        .fma(q, sum1);
            }
            sum0.intoArray(scores, to + j);
            sum1.intoArray(scores, to + j + Lanes.COUNT);
        }
    }

    /** Turns the scores into weights. */
    void weights(int[] sees) {
        for (int q = 0; q < sees.length; q++) {
            int first = q * STRETCH;
            int valid = first + sees[q];
            int end = first + Math.ceilDiv(sees[q], BLOCK) * BLOCK;
            Arrays.fill(scores, valid, end, Float.NEGATIVE_INFINITY);
            State state = fresh[q];
            Arrays.fill(state.out, 0);
            state.max = max(first, end);
            state.denominator = exponentials(first, valid, end, state.max);
        }
    }

    private float max(int first, int end) {
        FloatVector max = FloatVector.broadcast(Lanes.FLOATS, Float.NEGATIVE_INFINITY);
        for (int j = first; j < end; j += Lanes.COUNT) {
            max = max.max(FloatVector.fromArray(Lanes.FLOATS, scores, j));
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    /** {@code scores = e^(scores − max)}, zero from {@code valid} on; returns their sum. */
    private float exponentials(int first, int valid, int end, float max) {
        for (int j = first; j < end; j += Lanes.COUNT) {
            ExpKernel.exp(FloatVector.fromArray(Lanes.FLOATS, scores, j).sub(max))
                    .intoArray(scores, j);
        }
        Arrays.fill(scores, valid, end, 0);
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int j = first; j < end; j += Lanes.COUNT) {
            sum = sum.add(FloatVector.fromArray(Lanes.FLOATS, scores, j));
        }
        return Lanes.sum(sum);
    }

    /** Adds a block's values [BLOCK, headDim] by their weights. */
    void values(float[] values, int at, int[] sees) {
        for (int q = 0; q < sees.length; q++) {
            accumulate(q * STRETCH + at, Math.min(BLOCK, sees[q] - at), values, fresh[q].out);
        }
    }

    /** {@code out = out + Σ weights[j] · values[j]}. */
    private void accumulate(int weights, int valid, float[] values, float[] out) {
        int i = 0;
        for (; i <= headDim - 2 * Lanes.COUNT; i += 2 * Lanes.COUNT) {
            FloatVector sum0 = FloatVector.fromArray(Lanes.FLOATS, out, i);
            FloatVector sum1 = FloatVector.fromArray(Lanes.FLOATS, out, i + Lanes.COUNT);
            for (int j = 0; j < valid; j++) {
                FloatVector w = FloatVector.broadcast(Lanes.FLOATS, scores[weights + j]);
                sum0 = FloatVector.fromArray(Lanes.FLOATS, values, j * headDim + i)
                        .fma(w, sum0);
                sum1 = FloatVector.fromArray(Lanes.FLOATS, values, j * headDim + i + Lanes.COUNT)
                        .fma(w, sum1);
            }
            sum0.intoArray(out, i);
            sum1.intoArray(out, i + Lanes.COUNT);
        }
        for (; i < headDim; i++) {
            float sum = out[i];
            for (int j = 0; j < valid; j++) {
                sum = Math.fma(scores[weights + j], values[j * headDim + i], sum);
            }
            out[i] = sum;
        }
    }

    /** Takes the current stretch in. */
    void fold(int[] sees) {
        for (int q = 0; q < sees.length; q++) {
            if (sees[q] > 0) {
                states[q].fold(fresh[q]);
            }
        }
    }

    /** Of each query the largest score, the denominator and the weighted sum; {@code index} in floats. */
    void write(MemorySegment to, long index) {
        for (State state : states) {
            to.set(FLOAT, 4 * index, state.max);
            to.set(FLOAT, 4 * (index + 1), state.denominator);
            MemorySegment.copy(state.out, 0, to, FLOAT, 4 * (index + 2), headDim);
            index += 2 + headDim;
        }
    }
}
