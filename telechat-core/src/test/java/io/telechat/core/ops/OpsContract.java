// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.telechat.core.backend.Backend;
import io.telechat.core.quant.Quantizer;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TestWeights;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every implementation of {@link Ops} must compute: each formula, against another implementation, on sizes around the
 * widths of vectors and blocks.
 */
public abstract class OpsContract extends BackendContract {
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void embedScalesRowsOfTheTable(DType dtype) {
        Weight table = Weight.of(random(dtype, 11, 37));
        Pair out = output(4, 37);
        int[] tokens = {10, 0, 3, 3};
        subject.ops().embed(tokens, subject.memory().place(table, arena), 1.5f, out.subject());
        oracle.ops().embed(tokens, oracle.memory().place(table, oracleArena), 1.5f, out.oracle());
        assertClose(out, 1e-6);
    }

    @Test
    void infinitiesOfFloat16StayInfinite() {
        Tensor table = host.allocate(DType.F16, 1, 37);
        for (int i = 0; i < 37; i++) {
            table.setFloat(i, i % 3 == 0 ? Float.NEGATIVE_INFINITY : i % 3 == 1 ? Float.POSITIVE_INFINITY : 65504);
        }
        Tensor out = arena.allocate(DType.F32, 1, 37);
        subject.ops().embed(new int[] {0}, subject.memory().place(Weight.of(table), arena), 1, out);
        assertArrayEquals(table.toFloats(), subject.memory().toHost(out).toFloats());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64, 207, 1024})
    void rmsNormMatchesDefinition(int width) {
        Pair x = input(3, width);
        Pair weight = input(width);
        Pair y = output(3, width);
        Pair rstd = output(3);
        subject.ops().rmsNorm(x.subject(), weight.subject(), 1e-5f, y.subject(), rstd.subject());
        oracle.ops().rmsNorm(x.oracle(), weight.oracle(), 1e-5f, y.oracle(), rstd.oracle());
        assertClose(y, 1e-5);
        assertClose(rstd, 1e-5);
    }

    @Test
    void rmsNormMayWriteOverItsInput() {
        Pair x = input(2, 33);
        Pair weight = input(33);
        Pair rstd = output(2);
        subject.ops().rmsNorm(x.subject(), weight.subject(), 1e-5f, x.subject(), rstd.subject());
        oracle.ops().rmsNorm(x.oracle(), weight.oracle(), 1e-5f, x.oracle(), rstd.oracle());
        assertClose(x, 1e-5);
    }

    @ParameterizedTest
    @CsvSource({
        "1,1,1,F32",
        "1,64,7,F32",
        "2,207,64,F16",
        "3,1024,33,BF16",
        "7,64,300,BF16",
        "8,512,5000,F32",
        "40,520,1030,BF16",
        "40,520,1030,F16",
        "9,1100,2050,F32"
    })
    void linearIsTheProductWithTheTransposedWeight(int rows, int in, int out, DType dtype) {
        Weight weight = Weight.of(random(dtype, out, in));
        Pair x = input(rows, in);
        Pair y = output(rows, out);
        subject.ops().linear(x.subject(), subject.memory().place(weight, arena), y.subject());
        oracle.ops().linear(x.oracle(), oracle.memory().place(weight, oracleArena), y.oracle());
        assertClose(y, 1e-6 * in);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16})
    void linearStacksBlocksAndAddsBias(int rows) {
        int in = 1024;
        Weight weight = TestWeights.biased(
                random(DType.F32, 2041),
                random(DType.F32, 40, in),
                random(DType.BF16, 1, in),
                random(DType.F16, 2000, in));
        Pair x = input(rows, in);
        Pair y = output(rows, 2041);
        subject.ops().linear(x.subject(), subject.memory().place(weight, arena), y.subject());
        oracle.ops().linear(x.oracle(), oracle.memory().place(weight, oracleArena), y.oracle());
        assertClose(y, 1e-3);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void blocksMayHaveBiasesOfTheirOwnOrNone(int rows) {
        Weight weight = new Weight(
                WeightId.NONE,
                List.of(
                        Weight.Block.of(random(DType.BF16, 40, 70), random(DType.F32, 40)),
                        Weight.Block.of(random(DType.BF16, 7, 70)),
                        Weight.Block.of(random(DType.F32, 33, 70), random(DType.F32, 33))));
        Pair x = input(rows, 70);
        Pair y = output(rows, 80);
        subject.ops().linear(x.subject(), subject.memory().place(weight, arena), y.subject());
        oracle.ops().linear(x.oracle(), oracle.memory().place(weight, oracleArena), y.oracle());
        assertClose(y, 1e-4);
        subject.trainingOps().linear(x.subject(), subject.memory().place(weight, arena), y.subject());
        assertClose(y, 1e-4);
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "1,64,48", "2,33,17", "3,200,16", "5,1024,130", "13,300,40", "40,520,70"})
    void linearTakesQuantizedWeights(int rows, int in, int out) {
        for (DType dtype : List.of(DType.Q8, DType.Q4)) {
            Tensor matrix = random(DType.F32, out, in);
            Tensor bias = random(DType.F32, out);
            Weight weight = TestWeights.biased(bias, new Quantizer(dtype).quantize(matrix, host));
            Pair x = pair(roundable(rows, in));
            Pair y = input(rows, out);
            subject.ops().linearAdd(x.subject(), subject.memory().place(weight, arena), y.subject(), y.subject());
            oracle.ops().linearAdd(x.oracle(), oracle.memory().place(weight, oracleArena), y.oracle(), y.oracle());
            assertClose(y, 1e-6 * in);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "Q4"})
    void embedReadsRowsOfQuantizedTables(DType dtype) {
        Weight table = Weight.of(new Quantizer(dtype).quantize(random(DType.F32, 35, 150), host));
        Pair out = output(3, 150);
        int[] tokens = {34, 0, 17};
        subject.ops().embed(tokens, subject.memory().place(table, arena), 2, out.subject());
        oracle.ops().embed(tokens, oracle.memory().place(table, oracleArena), 2, out.oracle());
        assertClose(out, 1e-6);
    }

    /** Activations that rounding to 8 or 16 bits in groups of 32 does not change: nothing or the largest, of either sign. */
    private Tensor roundable(int rows, int columns) {
        Tensor x = host.allocate(DType.F32, rows, columns);
        for (long t = 0; t < rows; t++) {
            for (long i = 0; i < columns; i++) {
                float step = 1f / (1 << (i / 32 + t) % 5);
                int value = i % 32 == 0 ? 1 : random.nextInt(-1, 2);
                x.setFloat(t * columns + i, value * step);
            }
        }
        return x;
    }

    @ParameterizedTest
    @CsvSource({"1,64,96", "6,70,50", "12,1030,2000"})
    void linearAddAddsTheResidual(int rows, int in, int out) {
        Weight weight = TestWeights.biased(random(DType.F32, out), random(DType.BF16, out, in));
        Pair x = input(rows, in);
        Pair residual = input(rows, out);
        Pair y = output(rows, out);
        Weight mine = subject.memory().place(weight, arena);
        subject.ops().linearAdd(x.subject(), mine, residual.subject(), y.subject());
        oracle.ops().linearAdd(x.oracle(), oracle.memory().place(weight, oracleArena), residual.oracle(), y.oracle());
        assertClose(y, 1e-3);
        subject.ops().linearAdd(x.subject(), mine, residual.subject(), residual.subject());
        assertClose(new Pair(residual.subject(), y.oracle()), 1e-3);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64, 207, 1024})
    void swiGluMatchesDefinition(int width) {
        Pair gateUp = input(3, 2L * width);
        Pair out = output(3, width);
        subject.ops().swiGlu(gateUp.subject(), out.subject());
        oracle.ops().swiGlu(gateUp.oracle(), out.oracle());
        assertClose(out, 2e-6);
    }

    @Test
    void swiGluHoldsAtTheEndsOfTheRange() {
        Tensor extremes = host.allocate(DType.F32, 1, 8).setFloats(-200, 200, -88, 88, 1, 1, 1, 1);
        Pair gateUp = pair(extremes);
        Pair out = output(1, 4);
        subject.ops().swiGlu(gateUp.subject(), out.subject());
        oracle.ops().swiGlu(gateUp.oracle(), out.oracle());
        assertClose(out, 1e-6);
    }

    @Test
    void scaleMultipliesInPlace() {
        Pair x = input(3, 207);
        subject.ops().scale(x.subject(), 0.03125f);
        oracle.ops().scale(x.oracle(), 0.03125f);
        assertClose(x, 1e-7);
    }

    @ParameterizedTest
    @CsvSource({"4,4,16", "4,2,64", "2,1,10", "1,1,2", "8,2,128"})
    void ropeTurnsQueriesAndKeys(int heads, int kvHeads, int headDim) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        Pair qkv = input(5, layout.qkvWidth());
        try (Caches caches = new Caches(layout, DType.F32, 2)) {
            RopeTable first = RopeTable.of(new RopeScaling(10_000, 1, false), headDim, 4, 3);
            RopeTable second = RopeTable.of(new RopeScaling(30_000, 1.2, true), headDim, 0, 2);
            subject.ops().rope(qkv.subject(), layout, caches.batch(true, first, second));
            oracle.ops().rope(qkv.oracle(), layout, caches.batch(false, first, second));
        }
        assertClose(qkv, 1e-6);
    }

    @Test
    void ropeSharpensQueriesBehindALength() {
        HeadLayout layout = new HeadLayout(4, 2, 16);
        Pair qkv = input(5, layout.qkvWidth());
        try (Caches caches = new Caches(layout, DType.F32, 2)) {
            RopeScaling scaling = new RopeScaling(10_000, FrequencyScaling.linear(2), 1.5, false, 6);
            RopeTable across = RopeTable.of(scaling, 16, 5, 3);
            RopeTable below = RopeTable.of(scaling, 16, 0, 2);
            subject.ops().rope(qkv.subject(), layout, caches.batch(true, across, below));
            oracle.ops().rope(qkv.oracle(), layout, caches.batch(false, across, below));
        }
        assertClose(qkv, 1e-6);
    }

    @ParameterizedTest
    @CsvSource({"4,4,16", "4,2,64", "2,1,10", "1,1,2", "8,2,128", "6,3,12"})
    void headNormNormalisesQueriesAndKeysButNotValues(int heads, int kvHeads, int headDim) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        Pair x = input(5, layout.qkvWidth());
        Pair y = output(5, layout.qkvWidth());
        Pair queryNorm = input(headDim);
        Pair keyNorm = input(headDim);
        Pair rstd = output(5L * (heads + kvHeads));
        headNorm(x, layout, queryNorm, keyNorm, y, rstd);
        assertClose(y, 1e-5);
        assertClose(rstd, 1e-5);
        headNorm(x, layout, queryNorm, keyNorm, x, rstd); // in place
        assertClose(x, 1e-5);
    }

    private void headNorm(Pair x, HeadLayout layout, Pair queryNorm, Pair keyNorm, Pair y, Pair rstd) {
        subject.ops()
                .headNorm(
                        x.subject(),
                        layout,
                        queryNorm.subject(),
                        keyNorm.subject(),
                        1e-5f,
                        y.subject(),
                        rstd.subject());
        oracle.ops()
                .headNorm(x.oracle(), layout, queryNorm.oracle(), keyNorm.oracle(), 1e-5f, y.oracle(), rstd.oracle());
    }

    @ParameterizedTest
    @CsvSource({
        "4,4,16,F32,1",
        "4,2,64,F32,70",
        "8,2,128,F32,5",
        "2,1,10,F32,130",
        "4,2,64,BF16,70",
        "4,4,32,F16,65",
        "2,2,160,F32,70",
        "4,1,160,BF16,5",
        "1,1,256,F16,3",
        "1,1,2,F32,3",
        "3,1,20,F16,300"
    })
    void attentionSeesTheCacheAndItself(int heads, int kvHeads, int headDim, DType cacheType, int tokens) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        int layers = 2;
        double tolerance = cacheType == DType.F32 ? 1e-5 : 1e-3;
        try (Caches caches = new Caches(layout, cacheType, layers)) {
            for (int call = 0; call < 3; call++) {
                // Two sequences in one batch, in their first, second and third call, of different lengths.
                int[] counts = {tokens, 1 + tokens / 2};
                int rows = counts[0] + counts[1];
                Pair qkv = input(rows, layout.qkvWidth());
                Pair out = output(rows, layout.queryWidth());
                Pair lse = output(rows, heads);
                for (int layer = 0; layer < layers; layer++) {
                    subject.ops()
                            .attention(
                                    qkv.subject(),
                                    layout,
                                    caches.batch(true, counts),
                                    layer,
                                    out.subject(),
                                    lse.subject());
                    oracle.ops()
                            .attention(
                                    qkv.oracle(),
                                    layout,
                                    caches.batch(false, counts),
                                    layer,
                                    out.oracle(),
                                    lse.oracle());
                    assertClose(out, tolerance);
                    assertClose(lse, tolerance);
                }
                caches.advance(counts);
            }
        }
    }

    /** Longer than what a kernel takes in at once; and of two sequences, one is much longer. */
    @ParameterizedTest
    @CsvSource({"2,2,64,F32", "7,1,12,BF16", "8,2,16,F16"})
    void attentionSeesALongCache(int heads, int kvHeads, int headDim, DType cacheType) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        int[][] calls = {{1100, 3}, {1, 1}, {5, 1}, {1, 1}};
        try (Caches caches = new Caches(layout, cacheType, 1)) {
            for (int[] counts : calls) {
                int rows = counts[0] + counts[1];
                Pair qkv = input(rows, layout.qkvWidth());
                Pair out = output(rows, layout.queryWidth());
                Pair lse = output(rows, heads);
                Batch mine = caches.batch(true, counts);
                subject.ops().attention(qkv.subject(), layout, mine, 0, out.subject(), lse.subject());
                Batch theirs = caches.batch(false, counts);
                oracle.ops().attention(qkv.oracle(), layout, theirs, 0, out.oracle(), lse.oracle());
                assertClose(out, cacheType == DType.F32 ? 1e-5 : 1e-3);
                assertClose(lse, cacheType == DType.F32 ? 1e-5 : 1e-3);
                caches.advance(counts);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void turnKeysIsSeenByTheNextQuery(DType cacheType) {
        HeadLayout layout = new HeadLayout(4, 2, 32);
        int[] many = {67, 3};
        int[] one = {1, 1};
        RopeTable from = RopeTable.of(new RopeScaling(10_000, 1, false), 32, 0, 67);
        RopeTable to = RopeTable.of(new RopeScaling(30_000, 1, false), 32, 0, 67);
        try (Caches caches = new Caches(layout, cacheType, 1)) {
            Pair first = input(70, layout.qkvWidth());
            Pair out = output(70, layout.queryWidth());
            Pair lse = output(70, 4);
            subject.ops().attention(first.subject(), layout, caches.batch(true, many), 0, out.subject(), lse.subject());
            oracle.ops().attention(first.oracle(), layout, caches.batch(false, many), 0, out.oracle(), lse.oracle());
            caches.advance(many);
            caches.subject.forEach(cache -> subject.ops().turnKeys(cache, from, to));
            caches.oracle.forEach(cache -> oracle.ops().turnKeys(cache, from, to));
            Pair next = input(2, layout.qkvWidth());
            Pair nextOut = output(2, layout.queryWidth());
            Pair nextLse = output(2, 4);
            subject.ops()
                    .attention(
                            next.subject(), layout, caches.batch(true, one), 0, nextOut.subject(), nextLse.subject());
            oracle.ops()
                    .attention(next.oracle(), layout, caches.batch(false, one), 0, nextOut.oracle(), nextLse.oracle());
            assertClose(nextOut, cacheType == DType.F32 ? 1e-5 : 1e-2);
        }
    }

    @Test
    void selectRowsTakesThemInTheOrderAsked() {
        Pair x = input(5, 33);
        Pair out = output(3, 33);
        subject.ops().selectRows(x.subject(), new int[] {4, 0, 4}, out.subject());
        oracle.ops().selectRows(x.oracle(), new int[] {4, 0, 4}, out.oracle());
        assertClose(out, 0);
        assertThrows(
                IllegalArgumentException.class,
                () -> subject.ops().selectRows(x.subject(), new int[] {0, 1, 5}, out.subject()));
    }

    @Test
    void columnsAreCopiedAndTheirNeighboursAreNot() {
        Pair from = input(3, 21);
        Pair to = input(3, 40);
        subject.ops().copyColumns(from.subject(), 5, to.subject(), 17, 13);
        oracle.ops().copyColumns(from.oracle(), 5, to.oracle(), 17, 13);
        assertClose(to, 0);
        assertThrows(
                IllegalArgumentException.class,
                () -> subject.ops().copyColumns(from.subject(), 9, to.subject(), 0, 13));
    }

    @Test
    void rowsAreCleared() {
        Pair x = input(4, 33);
        boolean[] which = {true, false, false, true};
        subject.ops().clearRows(x.subject(), which);
        oracle.ops().clearRows(x.oracle(), which);
        assertClose(x, 0);
        assertThrows(IllegalArgumentException.class, () -> subject.ops().clearRows(x.subject(), new boolean[] {true}));
    }

    @Test
    void shapesAreChecked() {
        Pair x = input(2, 8);
        Pair y = output(2, 9);
        Weight weight = subject.memory().place(Weight.of(random(DType.F32, 10, 8)), arena);
        assertThrows(IllegalArgumentException.class, () -> subject.ops().linear(x.subject(), weight, y.subject()));
        assertThrows(
                IllegalArgumentException.class, () -> subject.ops().embed(new int[] {2, 10}, weight, 1, x.subject()));
        assertThrows(IllegalArgumentException.class, () -> subject.ops().swiGlu(x.subject(), y.subject()));
    }

    /** Caches of two sequences in each backend. */
    private final class Caches implements AutoCloseable {
        private final List<KvCache> subject = new ArrayList<>();
        private final List<KvCache> oracle = new ArrayList<>();
        private final int headDim;

        private Caches(HeadLayout layout, DType dtype, int layers) {
            headDim = layout.headDim();
            for (int i = 0; i < 2; i++) {
                subject.add(cache(new KvLayout(layers, layout, dtype), OpsContract.this.subject));
                oracle.add(cache(new KvLayout(layers, layout, dtype), OpsContract.this.oracle));
            }
        }

        private static KvCache cache(KvLayout layout, Backend backend) {
            return KvCache.alone(new BlockPool(layout, backend.memory().newArena(), BlockPool.UNBOUNDED));
        }

        private Batch batch(boolean ofSubject, int... counts) {
            List<KvCache> caches = ofSubject ? subject : oracle;
            RopeTable none = RopeTable.of(new RopeScaling(10_000, 1, false), headDim, 0, 1);
            List<Batch.Span> spans = new ArrayList<>();
            int row = 0;
            for (int i = 0; i < counts.length; i++) {
                caches.get(i).reserve(caches.get(i).length() + counts[i]);
                spans.add(new Batch.Span(row, counts[i], caches.get(i), none));
                row += counts[i];
            }
            return new Batch(new int[row], spans);
        }

        private Batch batch(boolean ofSubject, RopeTable first, RopeTable second) {
            List<KvCache> caches = ofSubject ? subject : oracle;
            return new Batch(
                    new int[first.count() + second.count()],
                    List.of(
                            new Batch.Span(0, first.count(), caches.get(0), first),
                            new Batch.Span(first.count(), second.count(), caches.get(1), second)));
        }

        private void advance(int... counts) {
            for (int i = 0; i < counts.length; i++) {
                subject.get(i).advance(counts[i], new RopeScaling(10_000, 1, false));
                oracle.get(i).advance(counts[i], new RopeScaling(10_000, 1, false));
            }
        }

        @Override
        public void close() {
            subject.forEach(KvCache::close);
            oracle.forEach(KvCache::close);
        }
    }
}
