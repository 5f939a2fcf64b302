// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.ScalarBackend;
import io.telechat.core.testing.TestWeights;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The definitions of the gradients against central differences of the definitions of the formulas. The loss is the sum of
 * an output's elements, each times a random number, which then is the gradient of the output.
 */
class ScalarGradOpsTest {
    private static final float STEP = 1f / 64;
    private static final double TOLERANCE = 1e-3;

    private final SplittableRandom random = new SplittableRandom(11);
    private final HostArena arena = new HostArena();
    private final ScalarBackend backend = new ScalarBackend();
    private final Ops forward = backend;
    private final GradOps ops = backend.gradOps();

    @AfterEach
    void close() {
        backend.close();
        arena.close();
    }

    private Tensor random(long... dims) {
        Tensor tensor = zeros(dims);
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.setFloat(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    private Tensor zeros(long... dims) {
        return arena.allocate(DType.F32, dims);
    }

    private Tensor copy(Tensor tensor) {
        return backend.copy(tensor, arena);
    }

    private static double loss(Tensor y, Tensor dy) {
        double sum = 0;
        for (long i = 0; i < y.shape().elements(); i++) {
            sum += (double) y.getFloat(i) * dy.getFloat(i);
        }
        return sum;
    }

    /** Compares with what the loss does when an element of {@code x} is moved; {@code before} is what was there already. */
    private static void assertGradient(Tensor x, Tensor before, Tensor gradient, DoubleSupplier loss) {
        for (long i = 0; i < x.shape().elements(); i++) {
            float value = x.getFloat(i);
            float above = value + STEP;
            float below = value - STEP;
            x.setFloat(i, above);
            double more = loss.getAsDouble();
            x.setFloat(i, below);
            double less = loss.getAsDouble();
            x.setFloat(i, value);
            double expected = before.getFloat(i) + (more - less) / ((double) above - below);
            assertEquals(
                    expected, gradient.getFloat(i), TOLERANCE * (1 + Math.abs(expected)), "element " + i + " of " + x);
        }
    }

    @Test
    void embed() {
        int[] tokens = {4, 0, 4, 2};
        Tensor table = random(5, 3);
        Tensor out = zeros(4, 3);
        Tensor dOut = random(4, 3);
        Tensor before = random(5, 3);
        Tensor dTable = copy(before);
        ops.embedBackward(tokens, dOut, 1.5f, dTable);
        assertGradient(table, before, dTable, () -> {
            forward.embed(tokens, Weight.of(table), 1.5f, out);
            return loss(out, dOut);
        });
    }

    @Test
    void dropout() {
        Tensor x = random(3, 7);
        Tensor y = zeros(3, 7);
        Tensor dy = random(3, 7);
        Tensor before = random(3, 7);
        Tensor dx = copy(before);
        ops.dropout(dy, 0.3, 5, dx, true);
        assertGradient(x, before, dx, () -> {
            ops.dropout(x, 0.3, 5, y, false);
            return loss(y, dy);
        });
    }

    @Test
    void rmsNorm() {
        Tensor x = random(3, 7);
        Tensor weight = random(7);
        Tensor y = zeros(3, 7);
        Tensor rstd = zeros(3);
        Tensor dy = random(3, 7);
        Tensor residual = random(3, 7);
        Tensor dx = random(3, 7);
        Tensor before = random(7);
        Tensor dWeight = copy(before);
        forward.rmsNorm(x, weight, 1e-3f, y, rstd);
        ops.rmsNormBackward(x, weight, rstd, dy, residual, dx, dWeight);
        DoubleSupplier loss = () -> {
            forward.rmsNorm(x, weight, 1e-3f, y, zeros(3));
            return loss(y, dy);
        };
        assertGradient(x, residual, dx, loss);
        assertGradient(weight, before, dWeight, loss);
    }

    @Test
    void linear() {
        Tensor x = random(4, 5);
        Weight weight = weight(5);
        Tensor y = zeros(4, 7);
        Tensor dy = random(4, 7);
        DoubleSupplier loss = () -> {
            forward.linear(x, weight, y);
            return loss(y, dy);
        };
        Tensor dx = random(4, 5);
        ops.linearInputGrad(dy, weight, dx, false);
        assertGradient(x, zeros(4, 5), dx, loss);
        Tensor already = copy(dx);
        ops.linearInputGrad(dy, weight, dx, true);
        assertGradient(x, already, dx, loss);

        Weight before = weight(5);
        Weight dW = new Weight(
                WeightId.NONE,
                before.blocks().stream()
                        .map(b -> new Weight.Block(copy(b.matrix()), b.bias().map(this::copy)))
                        .toList());
        ops.linearWeightGrad(x, dy, dW);
        for (int i = 0; i < weight.blocks().size(); i++) {
            Weight.Block block = weight.blocks().get(i);
            Weight.Block first = before.blocks().get(i);
            Weight.Block gradient = dW.blocks().get(i);
            assertGradient(block.matrix(), first.matrix(), gradient.matrix(), loss);
            assertGradient(
                    block.bias().orElseThrow(),
                    first.bias().orElseThrow(),
                    gradient.bias().orElseThrow(),
                    loss);
        }
    }

    private Weight weight(int in) {
        return TestWeights.biased(random(7), random(3, in), random(1, in), random(3, in));
    }

    @ParameterizedTest
    @CsvSource({"1,false", "1.25,false", "1.25,true"})
    void rope(double magnitude, boolean halfPrecision) {
        HeadLayout heads = new HeadLayout(4, 2, 6);
        RopeScaling scaling = new RopeScaling(100, magnitude, halfPrecision);
        Batch batch = Batch.uncached(
                new int[5],
                new int[] {2, 3},
                List.of(RopeTable.of(scaling, 6, 3, 2), RopeTable.of(new RopeScaling(50, 1, false), 6, 0, 3)));
        Tensor qkv = random(5, heads.qkvWidth());
        Tensor dTurned = random(5, heads.qkvWidth());
        Tensor dQkv = copy(dTurned);
        ops.ropeBackward(dQkv, heads, batch);
        assertGradient(qkv, zeros(5, heads.qkvWidth()), dQkv, () -> {
            Tensor turned = copy(qkv);
            forward.rope(turned, heads, batch);
            return loss(turned, dTurned);
        });
    }

    @ParameterizedTest
    @CsvSource({"4,2,6", "2,2,4", "3,1,2"})
    void attention(int heads, int kvHeads, int headDim) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        RopeTable none = RopeTable.of(new RopeScaling(10_000, 1, false), headDim, 0, 5);
        Batch batch = Batch.uncached(new int[9], new int[] {3, 1, 5}, List.of(none, none, none));
        Tensor qkv = random(9, layout.qkvWidth());
        Tensor out = zeros(9, layout.queryWidth());
        Tensor lse = zeros(9, heads);
        Tensor dOut = random(9, layout.queryWidth());
        Tensor dQkv = random(9, layout.qkvWidth());
        forward.attention(qkv, layout, batch, 0, out, lse);
        ops.attentionBackward(qkv, out, lse, dOut, layout, batch, dQkv);
        assertGradient(qkv, zeros(9, layout.qkvWidth()), dQkv, () -> {
            forward.attention(qkv, layout, batch, 0, out, lse);
            return loss(out, dOut);
        });
    }

    @Test
    void attentionWithoutACacheIsAttentionWithAnEmptyOne() {
        HeadLayout layout = new HeadLayout(4, 2, 6);
        RopeTable none = RopeTable.of(new RopeScaling(10_000, 1, false), 6, 0, 5);
        Tensor qkv = random(5, layout.qkvWidth());
        Tensor out = zeros(5, layout.queryWidth());
        Tensor lse = zeros(5, 4);
        Tensor expected = zeros(5, layout.queryWidth());
        Tensor expectedLse = zeros(5, 4);
        forward.attention(qkv, layout, Batch.uncached(new int[5], new int[] {5}, List.of(none)), 0, out, lse);
        try (KvCache cache = KvCache.alone(
                new BlockPool(new KvLayout(1, layout, DType.F32), new HostArena(), BlockPool.UNBOUNDED))) {
            cache.reserve(5);
            forward.attention(qkv, layout, Batch.of(new int[5], cache, none), 0, expected, expectedLse);
        }
        assertArrayEquals(expected.toFloats(), out.toFloats());
        assertArrayEquals(expectedLse.toFloats(), lse.toFloats());
    }

    @Test
    void swiGlu() {
        Tensor gateUp = random(3, 10);
        Tensor out = zeros(3, 5);
        Tensor dOut = random(3, 5);
        Tensor dGateUp = random(3, 10);
        ops.swiGluBackward(gateUp, dOut, dGateUp);
        assertGradient(gateUp, zeros(3, 10), dGateUp, () -> {
            forward.swiGlu(gateUp, out);
            return loss(out, dOut);
        });
    }

    @Test
    void crossEntropy() {
        int[] targets = {6, 0, 3};
        float[] weights = {0.5f, 0, 2};
        Tensor logits = random(3, 7);
        Tensor loss = zeros(3);
        Tensor gradient = copy(logits);
        ops.crossEntropy(gradient, targets, weights, 0.75f, loss);
        assertGradient(logits, zeros(3, 7), gradient, () -> {
            ops.crossEntropy(copy(logits), targets, weights, 0.75f, loss);
            return weights[0] * loss.getFloat(0) + weights[1] * loss.getFloat(1) + weights[2] * loss.getFloat(2);
        });
        for (int i = 7; i < 14; i++) {
            assertEquals(0, Math.abs(gradient.getFloat(i)), "of a row whose weight is 0");
        }
    }

    @Test
    void crossEntropyOfLargeLogits() {
        Tensor logits = zeros(2, 3).setFloats(10_000, -10_000, 0, -10_000, -30_000, -20_000);
        Tensor loss = zeros(2);
        ops.crossEntropy(logits, new int[] {1, 0}, new float[] {2, 3}, 0.5f, loss);
        assertArrayEquals(new float[] {10_000, 0}, loss.toFloats());
        assertArrayEquals(new float[] {1, -1, 0, 0, 0, 0}, logits.toFloats());
    }

    @Test
    void sumOfSquares() {
        assertEquals(1 + 4 + 9 + 0.25, ops.sumOfSquares(List.of(zeros(2, 2).setFloats(1, -2, 3, 0.5f))));
    }

    @Test
    void adamW() {
        Tensor parameter = random(2, 3);
        Tensor m = zeros(2, 3);
        Tensor v = zeros(2, 3);
        double[] p = new double[6];
        for (int i = 0; i < 6; i++) {
            p[i] = parameter.getFloat(i);
        }
        double[][] gradients = new double[3][6];
        for (int t = 1; t <= 3; t++) {
            Tensor gradient = random(2, 3);
            for (int i = 0; i < 6; i++) {
                gradients[t - 1][i] = 0.5 * gradient.getFloat(i);
            }
            float rate = 0.125f / t;
            ops.adamW(parameter, gradient, m, v, new AdamWStep(rate, 0.875f, 0.96875f, 1e-6f, 0.25f, 0.5f, t));
            for (int i = 0; i < 6; i++) {
                // The running means written out as sums: Σ (1−β)·β^(t−s)·g_s over 1−β^t.
                double mean = 0;
                double square = 0;
                for (int s = 1; s <= t; s++) {
                    mean += 0.125 * Math.pow(0.875, t - s) * gradients[s - 1][i];
                    square += 0.03125 * Math.pow(0.96875, t - s) * Math.pow(gradients[s - 1][i], 2);
                }
                assertEquals(mean, m.getFloat(i), 1e-6);
                assertEquals(square, v.getFloat(i), 1e-6);
                mean /= 1 - Math.pow(0.875, t);
                square /= 1 - Math.pow(0.96875, t);
                p[i] = p[i] * (1 - rate * 0.25) - rate * mean / (Math.sqrt(square) + 1e-6);
                assertEquals(p[i], parameter.getFloat(i), 1e-5);
            }
        }
    }
}
