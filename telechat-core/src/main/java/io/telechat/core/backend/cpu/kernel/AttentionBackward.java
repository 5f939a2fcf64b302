// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.backend.cpu.kernel.GradKernels.AttentionHead;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** The gradient of attention, one query after the other, with its probabilities computed again (attention_backward.h). */
final class AttentionBackward {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private AttentionBackward() {}

    static void run(AttentionHead head, int count, int group, int dim) {
        float[] keys = rows(head.key(), head.stride(), count, dim);
        float[] values = rows(head.value(), head.stride(), count, dim);
        float[] dKeys = new float[count * dim];
        float[] dValues = new float[count * dim];
        float scale = (float) (1 / Math.sqrt(dim));
        float[] query = new float[dim];
        float[] dOut = new float[dim];
        float[] dQuery = new float[dim];
        for (int g = 0; g < group; g++) {
            for (int t = 0; t < count; t++) {
                MemorySegment.copy(head.query(), FLOAT, 4 * (t * head.stride() + (long) g * dim), query, 0, dim);
                long at = 4 * (t * head.outStride() + (long) g * dim);
                MemorySegment.copy(head.dOut(), FLOAT, at, dOut, 0, dim);
                float[] out = new float[dim];
                MemorySegment.copy(head.out(), FLOAT, at, out, 0, dim);
                float lse = head.lse().get(FLOAT, 4 * (t * head.lseStride() + g));
                float delta = dot(dOut, 0, out, 0, dim);
                Arrays.fill(dQuery, 0);
                for (int j = 0; j <= t; j++) {
                    float p = ExpKernel.exp(scale * dot(query, 0, keys, j * dim, dim) - lse);
                    float ds = p * (dot(dOut, 0, values, j * dim, dim) - delta) * scale;
                    addScaled(dOut, 0, p, dValues, j * dim, dim);
                    addScaled(query, 0, ds, dKeys, j * dim, dim);
                    addScaled(keys, j * dim, ds, dQuery, 0, dim);
                }
                MemorySegment.copy(dQuery, 0, head.dQuery(), FLOAT, 4 * (t * head.stride() + (long) g * dim), dim);
            }
        }
        for (int t = 0; t < count; t++) {
            MemorySegment.copy(dKeys, t * dim, head.dKey(), FLOAT, 4 * t * head.stride(), dim);
            MemorySegment.copy(dValues, t * dim, head.dValue(), FLOAT, 4 * t * head.stride(), dim);
        }
    }

    private static float[] rows(MemorySegment from, long stride, int count, int dim) {
        float[] rows = new float[count * dim];
        for (int t = 0; t < count; t++) {
            MemorySegment.copy(from, FLOAT, 4 * t * stride, rows, t * dim, dim);
        }
        return rows;
    }

    private static float dot(float[] a, int atA, float[] b, int atB, int count) {
        FloatVector lanes = FloatVector.zero(Lanes.FLOATS);
        int body = Lanes.FLOATS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            lanes = FloatVector.fromArray(Lanes.FLOATS, a, atA + i)
                    .fma(FloatVector.fromArray(Lanes.FLOATS, b, atB + i), lanes);
        }
        float sum = Lanes.sum(lanes);
        for (int i = body; i < count; i++) {
            sum = Math.fma(a[atA + i], b[atB + i], sum);
        }
        return sum;
    }

    private static void addScaled(float[] from, int atFrom, float factor, float[] to, int atTo, int count) {
        int body = Lanes.FLOATS.loopBound(count);
        FloatVector f = FloatVector.broadcast(Lanes.FLOATS, factor);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector.fromArray(Lanes.FLOATS, from, atFrom + i)
                    .fma(f, FloatVector.fromArray(Lanes.FLOATS, to, atTo + i))
                    .intoArray(to, atTo + i);
        }
        for (int i = body; i < count; i++) {
            to[atTo + i] = Math.fma(from[atFrom + i], factor, to[atTo + i]);
        }
    }
}
