// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.ScalarBackend;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys and values of 8 bits on every tier of kernels: the same bytes as plain loops store, and attention over what they stand for. */
@Tag("slow")
@ParameterizedClass
@MethodSource("io.telechat.core.backend.cpu.UsableTiers#all")
class Q8CacheTest {
    private static final RopeScaling SCALING = new RopeScaling(10_000, 1, false);

    @Parameter
    private KernelTier tier;

    private final HostArena arena = new HostArena();
    private final SplittableRandom random = new SplittableRandom(5);
    private final ScalarBackend oracle = new ScalarBackend();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
        oracle.close();
        arena.close();
    }

    private Backend subject(int threads) {
        Backend backend = new CpuBackend(threads, tier);
        opened.addFirst(backend);
        return backend;
    }

    private KvCache cache(HeadLayout heads, DType type) {
        KvCache cache =
                KvCache.alone(new BlockPool(new KvLayout(2, heads, type), new HostArena(), BlockPool.UNBOUNDED));
        opened.addFirst(cache);
        return cache;
    }

    private Tensor random(long rows, long columns) {
        Tensor tensor = arena.allocate(DType.F32, rows, columns);
        for (long i = 0; i < rows * columns; i++) {
            tensor.setFloat(i, (float) (random.nextGaussian() * Math.exp(random.nextGaussian())));
        }
        return tensor;
    }

    /** Attention of the second of two layers; the cache has the rows afterwards. */
    private float[] attention(Backend backend, KvCache cache, Tensor qkv) {
        HeadLayout heads = cache.layout().heads();
        int count = (int) qkv.rows();
        cache.reserve(cache.length() + count);
        RopeTable none = RopeTable.of(SCALING, heads.headDim(), 0, 1);
        Batch batch = new Batch(new int[count], List.of(new Batch.Span(0, count, cache, none)));
        Tensor out = arena.allocate(DType.F32, count, heads.queryWidth());
        backend.ops().attention(qkv, heads, batch, 1, out, arena.allocate(DType.F32, count, heads.heads()));
        cache.advance(count, SCALING);
        return out.toFloats();
    }

    private static byte[] block(KvCache cache, int index) {
        return cache.block(index).segment().toArray(ValueLayout.JAVA_BYTE);
    }

    @ParameterizedTest(name = "{0} heads, {1} of keys, {2} wide, {3} tokens")
    @CsvSource({"1,1,64,1", "4,4,32,66", "4,2,64,70", "2,1,10,130", "3,3,36,3", "2,2,160,5", "4,1,100,33", "1,1,2,64"})
    void attentionIsThatOverWhatTheBytesStandFor(int heads, int kvHeads, int headDim, int tokens) {
        HeadLayout layout = new HeadLayout(heads, kvHeads, headDim);
        Backend subject = subject(3);
        KvCache actual = cache(layout, DType.Q8);
        KvCache expected = cache(layout, DType.Q8);
        for (int count : new int[] {tokens, 1, 1, 2, 1 + tokens / 2}) {
            Tensor qkv = random(count, layout.qkvWidth());
            float[] out = attention(subject, actual, qkv);
            assertArrayEquals(attention(oracle, expected, qkv), out, 1e-4f);
        }
        for (int i = 0; i < KvLayout.blocks(actual.length()); i++) {
            assertArrayEquals(block(expected, i), block(actual, i), "block " + i);
        }
    }

    /** One token alone takes another path through the kernels than many, and a group of query heads another than one. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void tokensOneByOneGiveTheBitsOfAllAtOnceOnAnyThreads(int group) {
        HeadLayout layout = new HeadLayout(2 * group, 2, 100);
        Tensor qkv = random(135, layout.qkvWidth());
        Backend one = subject(1);
        float[] whole = attention(subject(3), cache(layout, DType.Q8), qkv);
        KvCache cache = cache(layout, DType.Q8);
        for (int t = 0; t < qkv.rows(); t++) {
            float[] row = attention(one, cache, qkv.rows(t, t + 1));
            for (int i = 0; i < row.length; i++) {
                assertEquals(whole[t * row.length + i], row[i], "element " + i + " of token " + t);
            }
        }
    }

    @Test
    void groupsOfZerosAndOfTinyHugeAndUndefinedNumbersAreStoredAsDefined() {
        HeadLayout layout = new HeadLayout(1, 1, 32);
        float[] largest = {0, 1e-12f, 3e-6f, 7e-6f, 1e-4f, 1, 65504, 8e6f, 1e7f, Float.POSITIVE_INFINITY, Float.NaN};
        Tensor qkv = random(largest.length, layout.qkvWidth());
        for (int t = 0; t < largest.length; t++) {
            for (int i = 0; i < 64; i++) {
                float part = i == 0 || i == 32 ? 1 : random.nextFloat() * 2 - 1;
                qkv.setFloat(t * 96L + 32 + i, i % 32 != 0 && !Float.isFinite(largest[t]) ? part : part * largest[t]);
            }
        }
        KvCache actual = cache(layout, DType.Q8);
        KvCache expected = cache(layout, DType.Q8);
        attention(subject(1), actual, qkv);
        attention(oracle, expected, qkv);
        assertArrayEquals(block(expected, 0), block(actual, 0));
    }

    @Test
    void storedElementsAreWithinHalfAStepOfWhatTheyWere() {
        HeadLayout layout = new HeadLayout(1, 1, 64);
        Tensor qkv = random(1, layout.qkvWidth());
        // Of one position, attention gives the value.
        float[] value = attention(subject(1), cache(layout, DType.Q8), qkv);
        for (int i = 0; i < value.length; i++) {
            float largest = 0;
            for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) {
                largest = Math.max(largest, Math.abs(qkv.getFloat(128 + j)));
            }
            assertEquals(qkv.getFloat(128 + i), value[i], largest / 127 * 0.51f, "element " + i);
        }
    }

    @Test
    void turnedKeysAreRoundedAnew() {
        HeadLayout layout = new HeadLayout(2, 2, 48);
        Tensor qkv = random(67, layout.qkvWidth());
        Tensor next = random(1, layout.qkvWidth());
        RopeTable from = RopeTable.of(SCALING, 48, 0, 67);
        RopeTable to = RopeTable.of(new RopeScaling(30_000, 1, false), 48, 0, 67);
        Backend subject = subject(2);
        KvCache eightBits = cache(layout, DType.Q8);
        KvCache floats = cache(layout, DType.F32);
        subject.ops().scale(qkv, 0.25f);
        subject.ops().scale(next, 0.25f);
        for (KvCache cache : List.of(eightBits, floats)) {
            attention(subject, cache, qkv);
            subject.ops().turnKeys(cache, from, to);
        }
        float[] expected = attention(subject, floats, next);
        float[] actual = attention(subject, eightBits, next);
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs(expected[i] - actual[i]));
        }
        assertTrue(worst > 0 && worst < 0.01, "worst " + worst);
    }
}
