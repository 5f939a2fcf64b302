// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TestWeights;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a backend that keeps activations as BF16 must compute with them, against the definitions, which do not care for types. All
 * factors are BF16 or floats that BF16 can hold, so that to round them changes nothing, and the products are to be exact.
 */
public abstract class NarrowActivationsContract extends BackendContract {
    private static final double FLOAT = 2e-5;
    /** Half a step between neighbours, which both sides may fall to either side of. */
    private static final double NARROW = 1 / 128.0;

    private record Side(Ops forward, GradOps ops, boolean isSubject) {
        Tensor of(Pair pair) {
            return isSubject ? pair.subject() : pair.oracle();
        }
    }

    private void both(Consumer<Side> call) {
        call.accept(new Side(subject.trainingOps(DType.BF16), subject.gradOps(DType.BF16), true));
        call.accept(new Side(oracle.trainingOps(), oracle.gradOps(), false));
    }

    private Pair narrow(long... dims) {
        Pair pair = new Pair(arena.allocate(DType.BF16, dims), oracleArena.allocate(DType.BF16, dims));
        Tensor values = random(DType.BF16, dims);
        pair.subject().segment().copyFrom(values.segment());
        pair.oracle().segment().copyFrom(values.segment());
        return pair;
    }

    /** Floats that BF16 can hold. */
    private Pair wide(long... dims) {
        return pair(host.allocate(DType.F32, dims)
                .setFloats(random(DType.BF16, dims).toFloats()));
    }

    private Pair of(DType type, long... dims) {
        return type == DType.F32 ? wide(dims) : narrow(dims);
    }

    @ParameterizedTest
    @CsvSource({
        "1,1,1,F32,BF16",
        "5,37,64,BF16,F32",
        "5,207,96,BF16,BF16",
        "64,96,207,F32,BF16",
        "130,64,37,BF16,BF16",
        "130,520,1030,BF16,BF16",
        "200,1101,70,F32,F32"
    })
    void productsTakeAndGiveEitherType(int tokens, int in, int out, DType given, DType wanted) {
        Weight weight = TestWeights.biased(random(DType.F32, out), random(DType.BF16, out, in));
        Pair x = of(given, tokens, in);
        Pair y = of(wanted, tokens, out);
        double tolerance = (wanted == DType.F32 ? FLOAT : NARROW) + 1e-6 * in;
        both(b -> b.forward().linear(b.of(x), weight, b.of(y)));
        assertClose(y, tolerance);
        both(b -> b.forward().linearAdd(b.of(x), weight, b.of(y), b.of(y)));
        assertClose(y, 2 * tolerance);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 64, 130})
    void stackedBlocksOfAnyTypeGiveNarrowColumns(int tokens) {
        Weight weight = TestWeights.biased(
                random(DType.F32, 137),
                host.allocate(DType.F32, 40, 207)
                        .setFloats(random(DType.BF16, 40, 207).toFloats()),
                random(DType.BF16, 1, 207),
                random(DType.BF16, 96, 207));
        Pair x = narrow(tokens, 207);
        Pair y = narrow(tokens, 137);
        both(b -> b.forward().linear(b.of(x), weight, b.of(y)));
        assertClose(y, NARROW);
        Pair dx = wide(tokens, 207);
        for (boolean add : new boolean[] {false, true}) {
            both(b -> b.ops().linearInputGrad(b.of(y), weight, b.of(dx), add));
            assertClose(dx, 1e-2); // of y, which differs by its rounding
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1,BF16", "5,37,64,BF16", "64,96,207,F32", "130,520,301,BF16"})
    void inputGradientsTakeEitherType(int tokens, int in, int out, DType given) {
        Weight weight = Weight.of(random(DType.BF16, out, in));
        Pair dy = of(given, tokens, out);
        Pair dx = wide(tokens, in);
        for (boolean add : new boolean[] {false, true}) {
            both(b -> b.ops().linearInputGrad(b.of(dy), weight, b.of(dx), add));
            assertClose(dx, FLOAT + 1e-6 * out);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,BF16,BF16", "5,37,F32,BF16", "64,96,BF16,F32", "130,207,BF16,BF16", "301,530,BF16,BF16"})
    void weightGradientsTakeEitherType(int tokens, int in, DType ofX, DType ofDy) {
        Pair all = wide(150, in);
        Pair bias = wide(72);
        Pair x = of(ofX, tokens, in);
        Pair dy = of(ofDy, tokens, 72);
        both(b -> {
            Tensor blocks = b.of(all);
            Weight dW = TestWeights.biased(
                    Optional.of(b.of(bias)), List.of(blocks.rows(3, 67), blocks.rows(100, 101), blocks.rows(70, 77)));
            b.ops().linearWeightGrad(b.of(x), b.of(dy), dW);
        });
        assertClose(all, FLOAT + 1e-6 * tokens);
        assertClose(bias, FLOAT + 1e-6 * tokens);
    }

    @ParameterizedTest
    @CsvSource({"4,4,16,1", "4,2,64,5", "8,2,128,64", "2,1,6,130"})
    void headNormsAndTheirGradient(int heads, int kvHeads, int headDim, int tokens) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        Pair x = narrow(tokens, layout.qkvWidth());
        Pair y = narrow(tokens, layout.qkvWidth());
        Pair query = wide(headDim);
        Pair key = wide(headDim);
        Pair rstd = wide((long) tokens * (heads + kvHeads));
        both(b -> b.forward().headNorm(b.of(x), layout, b.of(query), b.of(key), 1e-5f, b.of(y), b.of(rstd)));
        assertClose(y, NARROW);
        assertClose(rstd, FLOAT);
        Pair part = narrow(tokens, layout.queryWidth());
        Pair dy = wide(tokens, layout.queryWidth());
        both(b -> b.forward().copyColumns(b.of(x), 0, b.of(part), 0, layout.queryWidth()));
        both(b -> b.forward().copyColumns(b.of(y), 0, b.of(dy), 0, layout.queryWidth()));
        assertClose(part, 0);
        Pair dx = narrow(tokens, layout.queryWidth());
        Pair dWeight = wide(headDim);
        long rows = (long) tokens * heads;
        both(b -> b.ops()
                .rmsNormBackward(
                        b.of(part.reshape(rows, headDim)),
                        b.of(query),
                        b.of(rstd.rows(0, rows)),
                        b.of(dy.reshape(rows, headDim)),
                        b.of(dx.reshape(rows, headDim)),
                        b.of(dx.reshape(rows, headDim)),
                        b.of(dWeight)));
        assertClose(dx, 3 * NARROW);
        assertClose(dWeight, 1e-3 * rows);
    }

    @ParameterizedTest
    @CsvSource({"4,4,16,1", "4,2,64,5", "4,2,16,64", "8,2,128,64", "2,1,6,130", "2,2,128,207", "1,1,2,7"})
    void attentionAndItsGradient(int heads, int kvHeads, int headDim, int tokens) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        int[] lengths = {tokens, 1 + tokens / 2, 1};
        RopeScaling scaling = new RopeScaling(10_000, 1, false);
        List<RopeTable> ropes = IntStream.of(lengths)
                .mapToObj(n -> RopeTable.of(scaling, headDim, 3, n))
                .toList();
        Batch batch = Batch.uncached(new int[tokens + 1 + tokens / 2 + 1], lengths, ropes);
        Pair qkv = narrow(batch.size(), layout.qkvWidth());
        both(b -> b.forward().rope(b.of(qkv), layout, batch));
        assertClose(qkv, NARROW);
        Pair turned = narrow(batch.size(), layout.qkvWidth());
        Pair out = narrow(batch.size(), layout.queryWidth());
        Pair lse = wide(batch.size(), heads);
        both(b -> b.forward().attention(b.of(turned), layout, batch, 0, b.of(out), b.of(lse)));
        assertClose(out, NARROW);
        assertClose(lse, FLOAT);
        Pair given = narrow(batch.size(), layout.queryWidth());
        Pair dOut = wide(batch.size(), layout.queryWidth());
        Pair dQkv = narrow(batch.size(), layout.qkvWidth());
        both(b ->
                b.ops().attentionBackward(b.of(turned), b.of(given), b.of(lse), b.of(dOut), layout, batch, b.of(dQkv)));
        assertClose(dQkv, 2 * NARROW);
        both(b -> b.ops().ropeBackward(b.of(dQkv), layout, batch));
        assertClose(dQkv, 4 * NARROW);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "5,7", "64,64", "130,207", "5,1024"})
    void gatesAndTheirGradient(int tokens, int width) {
        Pair gateUp = narrow(tokens, 2L * width);
        Pair out = wide(tokens, width);
        both(b -> b.forward().swiGlu(b.of(gateUp), b.of(out)));
        assertClose(out, FLOAT);
        Pair dOut = wide(tokens, width);
        both(b -> b.ops().swiGluBackward(b.of(gateUp), b.of(dOut), b.of(gateUp)));
        assertClose(gateUp, NARROW);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 1000})
    void dropoutReadsThem(int width) {
        Pair x = narrow(33, width);
        Pair y = wide(33, width);
        for (boolean add : new boolean[] {false, true}) {
            both(b -> b.ops().dropout(b.of(x), 0.3, 5, b.of(y), add));
            assertClose(y, FLOAT);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 7, 16_384, 50_001})
    void roundingToTheNearestIsThatOfTheDefinition(long size) {
        Pair from = pair(random(DType.F32, size));
        Pair to = narrow(size);
        both(b -> b.ops().round(b.of(from), b.of(to), Rounding.NEAREST, 1));
        assertClose(to, 0);
    }
}
