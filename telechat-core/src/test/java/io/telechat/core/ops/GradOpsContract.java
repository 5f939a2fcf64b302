// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TestWeights;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every implementation of {@link GradOps} must compute: each formula of training, against another implementation, on
 * sizes around the widths of vectors and tiles. Results are written over random elements, so that none is left out.
 */
public abstract class GradOpsContract extends BackendContract {
    /** A weight of the same elements in each of the two backends. */
    private record WeightPair(Weight subject, Weight oracle) {}

    /** One of the two backends. */
    private record Side(Ops forward, GradOps ops, boolean isSubject) {
        Tensor of(Pair pair) {
            return isSubject ? pair.subject() : pair.oracle();
        }

        Weight of(WeightPair pair) {
            return isSubject ? pair.subject() : pair.oracle();
        }
    }

    private void both(Consumer<Side> call) {
        call.accept(new Side(subject.trainingOps(), subject.gradOps(), true));
        call.accept(new Side(oracle.trainingOps(), oracle.gradOps(), false));
    }

    private WeightPair placed(Weight weight) {
        return new WeightPair(
                subject.memory().place(weight, arena), oracle.memory().place(weight, oracleArena));
    }

    private WeightPair stacked(List<Pair> blocks, Optional<Pair> bias) {
        return new WeightPair(
                TestWeights.biased(
                        bias.map(Pair::subject),
                        blocks.stream().map(Pair::subject).toList()),
                TestWeights.biased(
                        bias.map(Pair::oracle),
                        blocks.stream().map(Pair::oracle).toList()));
    }

    /** Sequences of these lengths with different rotations. */
    private static Batch batch(int headDim, int... lengths) {
        List<RopeTable> ropes = new ArrayList<>();
        int size = 0;
        for (int i = 0; i < lengths.length; i++) {
            RopeScaling scaling = i % 2 == 0 ? new RopeScaling(10_000, 1, false) : new RopeScaling(30_000, 1.25, true);
            ropes.add(RopeTable.of(scaling, headDim, 3 * i, lengths[i]));
            size += lengths[i];
        }
        return Batch.uncached(new int[size], lengths, ropes);
    }

    @ParameterizedTest
    @CsvSource({"1,37", "5,1", "5,7", "64,64", "130,207"})
    void embedBackwardAddsToTheRowsOfTheTokens(int count, int width) {
        int[] tokens = random.ints(count, 0, 11).toArray();
        Pair dOut = input(count, width);
        Pair dTable = input(20, width);
        both(b -> b.ops().embedBackward(tokens, b.of(dOut), 1.5f, b.of(dTable.rows(4, 15))));
        assertClose(dTable, 1e-5);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "5,7", "1,64", "130,64", "64,207", "5,96", "130,1030"})
    void rmsNormBackwardMatchesDefinition(int tokens, int width) {
        Pair x = input(tokens, width);
        Pair weight = input(width);
        Pair rstd = output(tokens);
        Pair y = input(tokens, width);
        both(b -> b.forward().rmsNorm(b.of(x), b.of(weight), 1e-5f, b.of(y), b.of(rstd)));
        assertClose(y, 1e-5);
        assertClose(rstd, 1e-5);
        Pair dy = input(tokens, width);
        Pair residual = input(tokens, width);
        Pair dWeight = input(width);
        // To a place of its own, over the residual, over dy.
        rmsNormBackward(x, weight, rstd, dy, residual, input(tokens, width), dWeight);
        rmsNormBackward(x, weight, rstd, dy, residual, residual, dWeight);
        rmsNormBackward(x, weight, rstd, dy, residual, dy, dWeight);
    }

    private void rmsNormBackward(Pair x, Pair weight, Pair rstd, Pair dy, Pair residual, Pair dx, Pair dWeight) {
        both(b -> b.ops()
                .rmsNormBackward(b.of(x), b.of(weight), b.of(rstd), b.of(dy), b.of(residual), b.of(dx), b.of(dWeight)));
        assertClose(dx, 1e-4);
        assertClose(dWeight, 1e-4);
    }

    @ParameterizedTest
    @CsvSource({
        "1,1,1,F32",
        "1,64,7,BF16",
        "5,37,64,F16",
        "5,207,96,F32",
        "64,96,207,BF16",
        "130,64,37,F32",
        "130,520,1030,BF16",
        "64,300,530,F16"
    })
    void linearAndItsInputGradientTakeWeightsOfAnyFloatType(int tokens, int in, int out, DType dtype) {
        Weight weight = TestWeights.biased(random(DType.F32, out), random(dtype, out, in));
        linearAndInputGradient(tokens, placed(weight));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 64, 130})
    void linearAndItsInputGradientTakeStackedBlocks(int tokens) {
        linearAndInputGradient(
                tokens,
                placed(TestWeights.biased(
                        random(DType.F32, 137),
                        random(DType.F32, 40, 207),
                        random(DType.BF16, 1, 207),
                        random(DType.F16, 96, 207))));
        Pair all = input(150, 207);
        linearAndInputGradient(
                tokens, stacked(List.of(all.rows(3, 67), all.rows(100, 101), all.rows(70, 77)), Optional.empty()));
    }

    private void linearAndInputGradient(int tokens, WeightPair weight) {
        long in = weight.oracle().inFeatures();
        long out = weight.oracle().outFeatures();
        Pair x = input(tokens, in);
        Pair y = input(tokens, out);
        Pair sum = input(tokens, out);
        both(b -> b.forward().linear(b.of(x), b.of(weight), b.of(y)));
        assertClose(y, 1e-5 + 1e-6 * in);
        both(b -> b.forward().linearAdd(b.of(x), b.of(weight), b.of(y), b.of(sum)));
        assertClose(sum, 1e-5 + 1e-6 * in);
        subject.trainingOps().linearAdd(x.subject(), weight.subject(), y.subject(), y.subject());
        assertClose(new Pair(y.subject(), sum.oracle()), 1e-5 + 1e-6 * in);

        Pair dy = input(tokens, out);
        Pair dx = input(tokens, in);
        for (boolean add : new boolean[] {false, true}) {
            both(b -> b.ops().linearInputGrad(b.of(dy), b.of(weight), b.of(dx), add));
            assertClose(dx, 1e-5 + 1e-6 * out);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,64", "5,37", "5,207", "64,96", "130,64", "130,207", "300,530"})
    void linearWeightGradAddsToEveryBlock(int tokens, int in) {
        Pair all = input(150, in);
        Pair bias = input(72);
        Pair x = input(tokens, in);
        Pair dy = input(tokens, 72);
        WeightPair dW = stacked(List.of(all.rows(3, 67), all.rows(100, 101), all.rows(70, 77)), Optional.of(bias));
        both(b -> b.ops().linearWeightGrad(b.of(x), b.of(dy), b.of(dW)));
        assertClose(all, 1e-5 + 1e-6 * tokens);
        assertClose(bias, 1e-5 + 1e-6 * tokens);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "7,37", "64,64", "96,130", "207,5", "530,64"})
    void linearWeightGradAddsToAWholeMatrix(int out, int tokens) {
        Pair x = input(tokens, 96);
        Pair dy = input(tokens, out);
        // Parameters may share a vector.
        Pair all = input(out * 96L + 13);
        Pair dW = all.rows(5, 5 + out * 96L).reshape(out, 96);
        both(b -> b.ops().linearWeightGrad(b.of(x), b.of(dy), Weight.of(b.of(dW))));
        assertClose(all, 1e-5 + 1e-6 * tokens);
    }

    @ParameterizedTest
    @CsvSource({"4,4,16,1", "4,2,64,5", "8,2,128,64", "2,1,6,130", "3,3,2,5"})
    void ropeBackwardTurnsBack(int heads, int kvHeads, int headDim, int tokens) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        Batch batch = batch(headDim, tokens, 1 + tokens / 2);
        Pair qkv = input(batch.size(), layout.qkvWidth());
        both(b -> b.forward().rope(b.of(qkv), layout, batch));
        assertClose(qkv, 1e-6);
        Pair dQkv = input(batch.size(), layout.qkvWidth());
        both(b -> b.ops().ropeBackward(b.of(dQkv), layout, batch));
        assertClose(dQkv, 1e-6);
    }

    @ParameterizedTest
    @CsvSource({
        "4,4,16,1",
        "4,2,64,5",
        "4,2,16,64",
        "8,2,128,64",
        "2,1,6,130",
        "4,2,64,130",
        "2,2,128,207",
        "2,1,160,70",
        "1,1,256,33",
        "1,1,2,7"
    })
    void attentionAndItsGradientSeeTheRowsOfTheirSpan(int heads, int kvHeads, int headDim, int tokens) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        Batch batch = batch(headDim, tokens, 1 + tokens / 2, 1);
        Pair qkv = input(batch.size(), layout.qkvWidth());
        Pair out = input(batch.size(), layout.queryWidth());
        Pair lse = input(batch.size(), heads);
        both(b -> b.forward().attention(b.of(qkv), layout, batch, 0, b.of(out), b.of(lse)));
        assertClose(out, 1e-5);
        assertClose(lse, 1e-5);
        Pair dOut = input(batch.size(), layout.queryWidth());
        Pair dQkv = input(batch.size(), layout.qkvWidth());
        both(b -> b.ops().attentionBackward(b.of(qkv), b.of(out), b.of(lse), b.of(dOut), layout, batch, b.of(dQkv)));
        assertClose(dQkv, 3e-5);
    }

    @Test
    void attentionOfLargeScoresAndItsGradientStayFinite() {
        HeadLayout layout = new HeadLayout(2, 1, 16);
        Batch batch = batch(16, 70);
        Pair qkv = input(70, layout.qkvWidth());
        both(b -> b.forward().scale(b.of(qkv), 16));
        Pair out = input(70, layout.queryWidth());
        Pair lse = input(70, 2);
        both(b -> b.forward().attention(b.of(qkv), layout, batch, 0, b.of(out), b.of(lse)));
        assertClose(out, 1e-2);
        assertClose(lse, 1e-5);
        Pair dOut = input(70, layout.queryWidth());
        Pair dQkv = input(70, layout.qkvWidth());
        both(b -> b.ops().attentionBackward(b.of(qkv), b.of(out), b.of(lse), b.of(dOut), layout, batch, b.of(dQkv)));
        assertClose(dQkv, 0.1);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "5,7", "64,64", "130,207", "5,1024", "1,96"})
    void swiGluBackwardMatchesDefinition(int tokens, int width) {
        Pair gateUp = input(tokens, 2L * width);
        Pair out = input(tokens, width);
        both(b -> b.forward().swiGlu(b.of(gateUp), b.of(out)));
        assertClose(out, 2e-6);
        Pair dOut = input(tokens, width);
        Pair dGateUp = input(tokens, 2L * width);
        both(b -> b.ops().swiGluBackward(b.of(gateUp), b.of(dOut), b.of(dGateUp)));
        assertClose(dGateUp, 5e-6);
        subject.gradOps().swiGluBackward(gateUp.subject(), dOut.subject(), gateUp.subject());
        assertClose(new Pair(gateUp.subject(), dGateUp.oracle()), 5e-6);
    }

    @Test
    void swiGluBackwardHoldsAtTheEndsOfTheRange() {
        Pair gateUp = pair(host.allocate(DType.F32, 1, 8).setFloats(-200, 200, -88, 88, 1, 1, 1, 1));
        Pair dOut = input(1, 4);
        Pair dGateUp = input(1, 8);
        both(b -> b.ops().swiGluBackward(b.of(gateUp), b.of(dOut), b.of(dGateUp)));
        assertClose(dGateUp, 1e-6);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "5,7", "64,64", "130,207", "5,5000"})
    void crossEntropyLeavesTheGradientInTheLogits(int rows, int vocab) {
        Pair logits = input(rows, vocab);
        int[] targets = random.ints(rows, 0, vocab).toArray();
        targets[rows - 1] = vocab - 1;
        float[] weights = random(DType.F32, rows).toFloats();
        weights[rows / 2] = 0;
        crossEntropy(logits, targets, weights, 1.5f);
    }

    @Test
    void crossEntropyOfLargeLogitsStaysFinite() {
        Tensor extremes = host.allocate(DType.F32, 3, 9);
        for (int i = 0; i < 27; i++) {
            extremes.setFloat(i, (i % 5 - 2) * 4000f);
        }
        crossEntropy(pair(extremes), new int[] {0, 8, 4}, new float[] {1, 2, 0.5f}, 2);
    }

    private void crossEntropy(Pair logits, int[] targets, float[] weights, float scale) {
        Pair loss = input(targets.length);
        both(b -> b.ops().crossEntropy(b.of(logits), targets, weights, scale, b.of(loss)));
        assertClose(loss, 1e-5);
        assertClose(logits, 1e-5);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64, 207, 4096, 100_003})
    void sumOfSquaresIsAddedInDouble(int size) {
        Tensor values = random(DType.F32, size);
        for (int i = 1; i < size; i += 2) {
            // Too small to be seen in a float beside the others, and many.
            values.setFloat(i, 0.001f);
        }
        Pair x = pair(values);
        Pair y = input(5, 3);
        double sum = subject.gradOps().sumOfSquares(List.of(x.subject(), y.subject()));
        double expected = oracle.gradOps().sumOfSquares(List.of(x.oracle(), y.oracle()));
        assertEquals(expected, sum, 1e-7 * expected);
        assertEquals(sum, subject.gradOps().sumOfSquares(List.of(x.subject(), y.subject())), "the second time");
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,7", "1,64", "9,23", "130,207"})
    void adamWTakesSteps(int rows, int columns) {
        Pair parameter = input(rows, columns);
        Pair m = output(rows, columns);
        Pair v = output(rows, columns);
        for (int number = 1; number <= 3; number++) {
            Pair gradient = input(rows, columns);
            float[] before = subject.memory().toHost(gradient.subject()).toFloats();
            AdamWStep step = new AdamWStep(0.01f * number, 0.9f, 0.95f, 1e-8f, 0.1f, 0.25f, number);
            both(b -> b.ops().adamW(b.of(parameter), b.of(gradient), b.of(m), b.of(v), step));
            assertClose(parameter, 1e-5);
            assertClose(m, 1e-6);
            assertClose(v, 1e-6);
            assertArrayEquals(
                    before, subject.memory().toHost(gradient.subject()).toFloats());
        }
    }

    /** Codes next to each other may be chosen for what differs in its last bit, so the means agree to a step of the code. */
    @ParameterizedTest
    @CsvSource({"1,1", "1,256", "7,300", "130,1000"})
    void adamWTakesStepsWithMeansInEightBits(int rows, int columns) {
        Pair parameter = input(rows, columns);
        Shape shape = Shape.of(rows, columns);
        BlockwiseTensor m = BlockwiseTensor.zeros(DynamicCode.SIGNED, shape, arena);
        BlockwiseTensor v = BlockwiseTensor.zeros(DynamicCode.UNSIGNED, shape, arena);
        BlockwiseTensor oracleM = BlockwiseTensor.zeros(DynamicCode.SIGNED, shape, oracleArena);
        BlockwiseTensor oracleV = BlockwiseTensor.zeros(DynamicCode.UNSIGNED, shape, oracleArena);
        AdamWStep step = new AdamWStep(0.01f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.25f, 1);
        Pair gradient = input(rows, columns);
        subject.gradOps().adamW8(parameter.subject(), gradient.subject(), m, v, step);
        oracle.gradOps().adamW8(parameter.oracle(), gradient.oracle(), oracleM, oracleV, step);
        assertClose(parameter, 1e-5);
        assertClose(new Pair(m.scales(), oracleM.scales()), 1e-6);
        assertClose(new Pair(v.scales(), oracleV.scales()), 1e-6);
        for (Pair codes : List.of(new Pair(m.codes(), oracleM.codes()), new Pair(v.codes(), oracleV.codes()))) {
            byte[] actual = bytes(subject, codes.subject());
            byte[] expected = bytes(oracle, codes.oracle());
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i] & 0xff, actual[i] & 0xff, 1, "code " + i);
            }
        }
    }

    private static byte[] bytes(Backend backend, Tensor codes) {
        return backend.memory().toHost(codes).segment().toArray(ValueLayout.JAVA_BYTE);
    }

    @ParameterizedTest
    @EnumSource
    void roundingGivesTheSameBitsEverywhere(Rounding rounding) {
        Pair from = input(130, 207);
        Tensor to = arena.allocate(DType.BF16, 130, 207);
        Tensor expected = oracleArena.allocate(DType.BF16, 130, 207);
        subject.gradOps().round(from.subject(), to, rounding, 5);
        oracle.gradOps().round(from.oracle(), expected, rounding, 5);
        Pair widened = output(130, 207);
        subject.ops().embed(IntStream.range(0, 130).toArray(), Weight.of(to), 1, widened.subject());
        oracle.ops().embed(IntStream.range(0, 130).toArray(), Weight.of(expected), 1, widened.oracle());
        assertClose(widened, 0);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void embedAndScaleMatchDefinition(DType dtype) {
        WeightPair table = placed(Weight.of(random(dtype, 11, 37)));
        int[] tokens = random.ints(64, 0, 11).toArray();
        Pair out = input(64, 37);
        both(b -> b.forward().embed(tokens, b.of(table), 1.5f, b.of(out)));
        both(b -> b.forward().scale(b.of(out), 0.75f));
        assertClose(out, 1e-6);
    }

    @Test
    void wrongShapesAreRefused() {
        GradOps ops = subject.gradOps();
        HeadLayout layout = new HeadLayout(2, 1, 4);
        Tensor x = output(2, 8).subject();
        Tensor y = output(2, 9).subject();
        Tensor lse = output(2, 2).subject();
        Tensor qkv = output(2, 16).subject();
        Tensor loss = output(2).subject();
        Weight weight = Weight.of(output(10, 8).subject());
        RopeTable none = RopeTable.of(new RopeScaling(10_000, 1, false), 4, 0, 2);
        refused(() -> ops.linearInputGrad(y, weight, x, false));
        refused(() -> ops.linearWeightGrad(x, y, weight));
        refused(() -> ops.embedBackward(
                new int[] {2, 10}, x, 1, weight.blocks().getFirst().matrix()));
        refused(() -> ops.rmsNormBackward(x, loss, loss, x, x, x, loss));
        refused(() -> ops.swiGluBackward(x, y, x));
        refused(() -> ops.crossEntropy(y, new int[] {0, 9}, new float[2], 1, loss));
        refused(() -> ops.adamW(x, x, x, y, new AdamWStep(1, 0, 0, 1, 0, 1, 1)));
        try (KvCache cache = KvCache.alone(
                new BlockPool(new KvLayout(1, layout, DType.F32), new HostArena(), BlockPool.UNBOUNDED))) {
            cache.reserve(2);
            Batch cached = Batch.of(new int[2], cache, none);
            refused(() -> ops.attentionBackward(qkv, x, lse, x, layout, cached, qkv));
        }
    }

    private static void refused(Runnable call) {
        assertThrows(IllegalArgumentException.class, call::run);
    }
}
