// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The kernels of training in Java. The products are on the Vector API, where nearly all of the time goes; the formulas between
 * them are plain loops.
 */
final class VectorGradKernels implements GradKernels {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    @Override
    public int sliver() {
        return MatrixKernel.SLIVER;
    }

    @Override
    public boolean multipliesPairs() {
        return false;
    }

    @Override
    public long packedSteps(PackedForm form, long depth) {
        return depth;
    }

    @Override
    public void packMatrix(PackedForm form, Right b, long depth, long columns, MemorySegment to) {
        MatrixKernel.pack(b, depth, columns, to);
    }

    @Override
    public void matrixProduct(
            PackedForm form, Left a, MemorySegment packed, long columns, MemorySegment c, long stride, boolean add) {
        MatrixKernel.product(a, packed, columns, c, stride, add);
    }

    @Override
    public void widenRows(DType type, Rows from, Rows to, long rows, long columns) {
        float[] row = new float[Math.toIntExact(columns)];
        for (long r = 0; r < rows; r++) {
            WidenKernel.toFloats(from.first(), type, r * from.stride(), row, 0, row.length);
            store(row, to.first(), r * to.stride());
        }
    }

    @Override
    public void narrowRows(DType type, Rows from, Rows to, long rows, long columns) {
        for (long r = 0; r < rows; r++) {
            float[] row = floats(from.first(), r * from.stride(), columns);
            if (type == DType.F32) {
                store(row, to.first(), r * to.stride());
            } else {
                storeBf16(row, to.first(), r * to.stride());
            }
        }
    }

    private static void storeBf16(float[] values, MemorySegment to, long at) {
        for (int i = 0; i < values.length; i++) {
            to.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * (at + i), Tensor.floatToBf16(values[i]));
        }
    }

    private static float[] floats(MemorySegment from, long at, long count) {
        float[] values = new float[Math.toIntExact(count)];
        MemorySegment.copy(from, FLOAT, 4 * at, values, 0, values.length);
        return values;
    }

    private static void store(float[] values, MemorySegment to, long at) {
        MemorySegment.copy(values, 0, to, FLOAT, 4 * at, values.length);
    }

    @Override
    public void rmsNormBackward(NormRows rows, MemorySegment dWeight, long count, long columns) {
        float[] weight = floats(rows.weight(), 0, columns);
        float[] gradient = floats(dWeight, 0, columns);
        for (long row = 0; row < count; row++) {
            float[] x = floats(rows.x(), row * columns, columns);
            float[] dy = floats(rows.dy(), row * columns, columns);
            float[] dx = floats(rows.residual(), row * columns, columns);
            float rstd = rows.rstd().get(FLOAT, 4 * row);
            double sum = 0;
            for (int i = 0; i < x.length; i++) {
                x[i] *= rstd;
                sum += dy[i] * weight[i] * x[i];
                gradient[i] = Math.fma(dy[i], x[i], gradient[i]);
            }
            float mean = (float) (sum / columns);
            for (int i = 0; i < x.length; i++) {
                dx[i] = Math.fma(rstd, dy[i] * weight[i] - x[i] * mean, dx[i]);
            }
            store(dx, rows.dx(), row * columns);
        }
        store(gradient, dWeight, 0);
    }

    @Override
    public void columnSums(MemorySegment from, long stride, long rows, long columns, MemorySegment to) {
        float[] sums = floats(to, 0, columns);
        for (long row = 0; row < rows; row++) {
            float[] values = floats(from, row * stride, columns);
            for (int i = 0; i < sums.length; i++) {
                sums[i] += values[i];
            }
        }
        store(sums, to, 0);
    }

    @Override
    public void swiGluBackward(
            MemorySegment gateUp, MemorySegment dOut, MemorySegment dGateUp, long rows, long columns) {
        for (long row = 0; row < rows; row++) {
            float[] gate = floats(gateUp, 2 * row * columns, columns);
            float[] up = floats(gateUp, (2 * row + 1) * columns, columns);
            float[] d = floats(dOut, row * columns, columns);
            for (int i = 0; i < d.length; i++) {
                float s = 1 / (1 + ExpKernel.exp(-gate[i]));
                float ds = d[i] * s;
                d[i] = ds * gate[i];
                gate[i] = ds * up[i] * Math.fma(gate[i], 1 - s, 1);
            }
            store(gate, dGateUp, 2 * row * columns);
            store(d, dGateUp, (2 * row + 1) * columns);
        }
    }

    @Override
    public long attendBackwardScratch(long count, long headDim) {
        return 0; // arrays do
    }

    @Override
    public void attendBackward(AttentionHead head, long count, int group, int headDim, MemorySegment scratch) {
        AttentionBackward.run(head, Math.toIntExact(count), group, headDim);
    }

    @Override
    public void crossEntropy(
            MemorySegment logits,
            MemorySegment targets,
            MemorySegment weights,
            float scale,
            MemorySegment loss,
            long rows,
            long columns) {
        for (long row = 0; row < rows; row++) {
            float[] values = floats(logits, row * columns, columns);
            int target = targets.get(INT, 4 * row);
            float weight = scale * weights.get(FLOAT, 4 * row);
            float max = Float.NEGATIVE_INFINITY;
            for (int i = 0; i < values.length; i++) {
                values[i] *= scale;
                max = Math.max(max, values[i]);
            }
            float right = values[target];
            double sum = 0;
            for (int i = 0; i < values.length; i++) {
                values[i] = ExpKernel.exp(values[i] - max);
                sum += values[i];
            }
            loss.set(FLOAT, 4 * row, (float) (Math.log(sum) + max - right));
            float factor = (float) (weight / sum);
            for (int i = 0; i < values.length; i++) {
                values[i] *= factor;
            }
            values[target] -= weight;
            store(values, logits, row * columns);
        }
    }

    @Override
    public double sumOfSquares(MemorySegment x, long count) {
        double sum = 0;
        for (float value : floats(x, 0, count)) {
            sum += (double) value * value;
        }
        return sum;
    }

    @Override
    public void adamW(
            MemorySegment parameter,
            MemorySegment gradient,
            MemorySegment m,
            MemorySegment v,
            long count,
            AdamWStep step) {
        float[] p = floats(parameter, 0, count);
        float[] g = floats(gradient, 0, count);
        float[] mean = floats(m, 0, count);
        float[] square = floats(v, 0, count);
        float correction1 = step.correction1();
        float correction2 = step.correction2();
        for (int i = 0; i < p.length; i++) {
            float grad = g[i] * step.gradientScale();
            mean[i] = Math.fma(step.beta1(), mean[i], (1 - step.beta1()) * grad);
            square[i] = Math.fma(step.beta2(), square[i], (1 - step.beta2()) * (grad * grad));
            float change = mean[i] * correction1 / ((float) Math.sqrt(square[i] * correction2) + step.epsilon());
            p[i] -= step.rate() * Math.fma(step.decay(), p[i], change);
        }
        store(p, parameter, 0);
        store(mean, m, 0);
        store(square, v, 0);
    }
}
