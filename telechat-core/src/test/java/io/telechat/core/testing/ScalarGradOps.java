// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Rounding;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/** The formulas of {@link GradOps} as they read, in plain loops and double; themselves tested with finite differences. */
final class ScalarGradOps implements GradOps {
    static double at(Tensor x, long row, long column) {
        return x.getFloat(row * x.columns() + column);
    }

    private static void set(Tensor x, long row, long column, double value) {
        x.setFloat(row * x.columns() + column, (float) value);
    }

    @Override
    public void embedBackward(int[] tokens, Tensor dOut, float scale, Tensor dTable) {
        for (long row = 0; row < dTable.rows(); row++) {
            for (long i = 0; i < dTable.columns(); i++) {
                double sum = at(dTable, row, i);
                for (int t = 0; t < tokens.length; t++) {
                    sum += tokens[t] == row ? scale * at(dOut, t, i) : 0;
                }
                set(dTable, row, i, sum);
            }
        }
    }

    @Override
    public void rmsNormBackward(
            Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx, Tensor dWeight) {
        int width = (int) x.columns();
        double[] sums = new double[width];
        for (long t = 0; t < x.rows(); t++) {
            double scale = rstd.getFloat(t);
            double mean = 0;
            for (int i = 0; i < width; i++) {
                double normed = at(x, t, i) * scale;
                sums[i] += at(dy, t, i) * normed;
                mean += at(dy, t, i) * weight.getFloat(i) * normed / width;
            }
            for (int i = 0; i < width; i++) {
                double g = at(dy, t, i) * weight.getFloat(i);
                set(dx, t, i, at(residual, t, i) + scale * (g - at(x, t, i) * scale * mean));
            }
        }
        for (int i = 0; i < width; i++) {
            dWeight.setFloat(i, (float) (dWeight.getFloat(i) + sums[i]));
        }
    }

    @Override
    public void linearInputGrad(Tensor dy, Weight w, Tensor dx, boolean add) {
        for (long t = 0; t < dy.rows(); t++) {
            for (long i = 0; i < dx.columns(); i++) {
                double sum = add ? at(dx, t, i) : 0;
                long column = 0;
                for (Weight.Block part : w.blocks()) {
                    Tensor block = part.matrix();
                    for (long r = 0; r < block.rows(); r++, column++) {
                        sum += at(dy, t, column) * at(block, r, i);
                    }
                }
                set(dx, t, i, sum);
            }
        }
    }

    @Override
    public void linearWeightGrad(Tensor x, Tensor dy, Weight dW) {
        long column = 0;
        for (Weight.Block part : dW.blocks()) {
            Tensor block = part.matrix();
            for (long r = 0; r < block.rows(); r++, column++) {
                for (long i = 0; i < x.columns(); i++) {
                    double sum = at(block, r, i);
                    for (long t = 0; t < x.rows(); t++) {
                        sum += at(dy, t, column) * at(x, t, i);
                    }
                    set(block, r, i, sum);
                }
                if (part.bias().isPresent()) {
                    double sum = part.bias().get().getFloat(r);
                    for (long t = 0; t < x.rows(); t++) {
                        sum += at(dy, t, column);
                    }
                    part.bias().get().setFloat(r, (float) sum);
                }
            }
        }
    }

    @Override
    public void ropeBackward(Tensor dQkv, HeadLayout heads, Batch batch) {
        int half = heads.headDim() / 2;
        for (Batch.Span span : batch.spans()) {
            for (int t = 0; t < span.count(); t++) {
                for (int head = 0; head < heads.heads() + heads.kvHeads(); head++) {
                    for (int i = 0; i < half; i++) {
                        long column = (long) head * heads.headDim() + i;
                        double cos = span.rope().cos()[t * half + i];
                        double sin = span.rope().sin()[t * half + i];
                        double factor = head < heads.heads() ? span.rope().queryFactor(t) : 1;
                        double first = factor * at(dQkv, span.first() + t, column);
                        double second = factor * at(dQkv, span.first() + t, column + half);
                        set(dQkv, span.first() + t, column, first * cos + second * sin);
                        set(dQkv, span.first() + t, column + half, second * cos - first * sin);
                    }
                }
            }
        }
    }

    @Override
    public void attentionBackward(
            Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv) {
        for (Batch.Span span : batch.spans()) {
            double[][] sums = new double[span.count()][heads.qkvWidth()];
            for (int head = 0; head < heads.heads(); head++) {
                for (int t = 0; t < span.count(); t++) {
                    for (int p = 0; p <= t; p++) {
                        pair(qkv, out, lse, dOut, heads, span.first(), head, t, p, sums);
                    }
                }
            }
            for (int t = 0; t < span.count(); t++) {
                for (int i = 0; i < heads.qkvWidth(); i++) {
                    set(dQkv, span.first() + t, i, sums[t][i]);
                }
            }
        }
    }

    /** What a query at position {@code t} of a span and a key at {@code p} add to the gradients. */
    private static void pair(
            Tensor qkv,
            Tensor out,
            Tensor lse,
            Tensor dOut,
            HeadLayout heads,
            int first,
            int head,
            int t,
            int p,
            double[][] sums) {
        int dim = heads.headDim();
        int q = head * dim;
        int k = heads.queryWidth() + head / heads.groupSize() * dim;
        int v = k + heads.kvWidth();
        double score = 0;
        double dWeight = 0;
        double delta = 0;
        for (int d = 0; d < dim; d++) {
            score += at(qkv, first + t, q + d) * at(qkv, first + p, k + d);
            dWeight += at(dOut, first + t, q + d) * at(qkv, first + p, v + d);
            delta += at(dOut, first + t, q + d) * at(out, first + t, q + d);
        }
        double weight = Math.exp(score / Math.sqrt(dim) - at(lse, first + t, head));
        double dScore = weight * (dWeight - delta) / Math.sqrt(dim);
        for (int d = 0; d < dim; d++) {
            sums[t][q + d] += dScore * at(qkv, first + p, k + d);
            sums[p][k + d] += dScore * at(qkv, first + t, q + d);
            sums[p][v + d] += weight * at(dOut, first + t, q + d);
        }
    }

    @Override
    public void swiGluBackward(Tensor gateUp, Tensor dOut, Tensor dGateUp) {
        long width = dOut.columns();
        for (long t = 0; t < dOut.rows(); t++) {
            for (long i = 0; i < width; i++) {
                double gate = at(gateUp, t, i);
                double up = at(gateUp, t, width + i);
                double s = 1 / (1 + Math.exp(-gate));
                set(dGateUp, t, i, at(dOut, t, i) * up * s * (1 + gate * (1 - s)));
                set(dGateUp, t, width + i, at(dOut, t, i) * gate * s);
            }
        }
    }

    @Override
    public void crossEntropy(Tensor logits, int[] targets, float[] weights, float scale, Tensor loss) {
        int vocab = (int) logits.columns();
        for (int t = 0; t < targets.length; t++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < vocab; i++) {
                max = Math.max(max, scale * at(logits, t, i));
            }
            double sum = 0;
            for (int i = 0; i < vocab; i++) {
                sum += Math.exp(scale * at(logits, t, i) - max);
            }
            double denominator = max + Math.log(sum);
            loss.setFloat(t, (float) (denominator - scale * at(logits, t, targets[t])));
            for (int i = 0; i < vocab; i++) {
                double softmax = Math.exp(scale * at(logits, t, i) - denominator);
                set(logits, t, i, scale * weights[t] * (softmax - (i == targets[t] ? 1 : 0)));
            }
        }
    }

    @Override
    public void dropout(Tensor x, double rate, long seed, Tensor y, boolean add) {
        for (long i = 0; i < x.shape().elements(); i++) {
            double before = add ? y.getFloat(i) : 0;
            boolean isKept = SplitMix.uniform(seed, i) >= rate;
            y.setFloat(i, (float) (isKept ? before + x.getFloat(i) / (1 - rate) : before));
        }
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        double sum = 0;
        for (Tensor x : tensors) {
            for (long i = 0; i < x.shape().elements(); i++) {
                sum += (double) x.getFloat(i) * x.getFloat(i);
            }
        }
        return sum;
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
        for (long i = 0; i < parameter.shape().elements(); i++) {
            double g = (double) step.gradientScale() * gradient.getFloat(i);
            double mean = step.beta1() * m.getFloat(i) + (1.0 - step.beta1()) * g;
            double square = step.beta2() * v.getFloat(i) + (1.0 - step.beta2()) * g * g;
            double unbiasedMean = mean / (1 - Math.pow(step.beta1(), step.number()));
            double unbiasedSquare = square / (1 - Math.pow(step.beta2(), step.number()));
            double p = parameter.getFloat(i);
            double change = unbiasedMean / (Math.sqrt(unbiasedSquare) + step.epsilon()) + step.decay() * p;
            m.setFloat(i, (float) mean);
            v.setFloat(i, (float) square);
            parameter.setFloat(i, (float) (p - step.rate() * change));
        }
    }

    @Override
    public void adamW8(Tensor parameter, Tensor gradient, BlockwiseTensor m, BlockwiseTensor v, AdamWStep step) {
        try (HostArena arena = new HostArena()) {
            Tensor mean = arena.allocate(DType.F32, parameter.shape().toArray());
            Tensor square = arena.allocate(DType.F32, parameter.shape().toArray());
            decode(m, mean);
            decode(v, square);
            adamW(parameter, gradient, mean, square, step);
            encode(mean, m);
            encode(square, v);
        }
    }

    private static void decode(BlockwiseTensor from, Tensor to) {
        float[] value = new float[1];
        for (long i = 0; i < to.shape().elements(); i++) {
            byte[] code = {from.codes().segment().get(ValueLayout.JAVA_BYTE, i)};
            from.decode(code, from.scales().getFloat(i / BlockwiseTensor.BLOCK), value, 1);
            to.setFloat(i, value[0]);
        }
    }

    private static void encode(Tensor from, BlockwiseTensor to) {
        float[] values = from.toFloats();
        for (int first = 0; first < values.length; first += BlockwiseTensor.BLOCK) {
            int end = Math.min(values.length, first + BlockwiseTensor.BLOCK);
            byte[] codes = new byte[end - first];
            float scale = to.encode(Arrays.copyOfRange(values, first, end), codes, end - first);
            to.scales().setFloat(first / BlockwiseTensor.BLOCK, scale);
            MemorySegment.copy(codes, 0, to.codes().segment(), ValueLayout.JAVA_BYTE, first, codes.length);
        }
    }

    @Override
    public void round(Tensor from, Tensor to, Rounding rounding, long seed) {
        for (long i = 0; i < from.shape().elements(); i++) {
            to.setFloat(i, Tensor.bf16ToFloat(rounding.bf16(from.getFloat(i), seed, i)));
        }
    }
}
