// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.backend.cpu.kernel.Kernels;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention of a token over a long context has the same bits whoever computes it, and whatever with. */
@ParameterizedClass
@MethodSource("io.telechat.core.backend.cpu.UsableTiers#all")
class CachedAttentionTest {
    private static final HeadLayout HEADS = new HeadLayout(6, 2, 20);
    private static final int LENGTH = 2 * Kernels.STRETCH + 70;
    private static final RopeScaling SCALING = new RopeScaling(10_000, 1, false);
    private static final RopeTable NONE = RopeTable.of(SCALING, 20, 0, 1);

    @Parameter
    private KernelTier tier;

    private final HostArena arena = new HostArena();

    @AfterEach
    void free() {
        arena.close();
    }

    /** Each token's queries, keys and values, [count, width]. */
    private Tensor random(int count) {
        Random random = new Random(count);
        Tensor qkv = arena.allocate(DType.F32, count, HEADS.qkvWidth());
        for (long i = 0; i < qkv.shape().elements(); i++) {
            qkv.setFloat(i, 2 * random.nextFloat() - 1);
        }
        return qkv;
    }

    private static void copy(Tensor from, int row, Tensor to, int toRow, int rows) {
        to.rows(toRow, toRow + rows)
                .segment()
                .copyFrom(from.rows(row, row + rows).segment());
    }

    /**
     * What the tokens of one sequence get, and the logarithms of their denominators behind it.
     *
     * @param chunks how many of its tokens come in each batch
     * @param others short sequences that are computed with it
     */
    private float[] attention(int threads, Tensor qkv, int[] chunks, int others) {
        Tensor out = arena.allocate(DType.F32, LENGTH, HEADS.queryWidth());
        Tensor lse = arena.allocate(DType.F32, LENGTH, HEADS.heads());
        try (CpuBackend backend = new CpuBackend(threads, tier)) {
            List<KvCache> caches = new ArrayList<>();
            for (int i = 0; i <= others; i++) {
                caches.add(KvCache.alone(new BlockPool(
                        new KvLayout(1, HEADS, DType.F16), backend.memory().newArena(), BlockPool.UNBOUNDED)));
            }
            int first = 0;
            for (int chunk : chunks) {
                Tensor rows = arena.allocate(DType.F32, others + chunk, HEADS.qkvWidth());
                Tensor outRows = arena.allocate(DType.F32, others + chunk, HEADS.queryWidth());
                Tensor lseRows = arena.allocate(DType.F32, others + chunk, HEADS.heads());
                copy(qkv, first, rows, others, chunk);
                List<Batch.Span> spans = new ArrayList<>();
                for (int i = 0; i < others; i++) {
                    spans.add(new Batch.Span(i, 1, caches.get(i + 1), NONE));
                }
                spans.add(new Batch.Span(others, chunk, caches.getFirst(), NONE));
                for (Batch.Span span : spans) {
                    span.cache().reserve(span.cache().length() + span.count());
                }
                backend.ops().attention(rows, HEADS, new Batch(new int[others + chunk], spans), 0, outRows, lseRows);
                copy(outRows, others, out, first, chunk);
                copy(lseRows, others, lse, first, chunk);
                for (Batch.Span span : spans) {
                    span.cache().advance(span.count(), SCALING);
                }
                first += chunk;
            }
            caches.forEach(KvCache::close);
        }
        assertEquals(LENGTH, Arrays.stream(chunks).sum());
        float[] all = Arrays.copyOf(out.toFloats(), LENGTH * (HEADS.queryWidth() + HEADS.heads()));
        System.arraycopy(lse.toFloats(), 0, all, LENGTH * HEADS.queryWidth(), LENGTH * HEADS.heads());
        return all;
    }

    @Test
    void bitsDependNeitherOnThreadsNorOnChunksNorOnNeighbours() {
        Tensor qkv = random(LENGTH);
        float[] whole = attention(1, qkv, new int[] {LENGTH}, 0);
        for (int threads : new int[] {1, 2, 3, 5}) {
            assertArrayEquals(whole, attention(threads, qkv, new int[] {LENGTH}, 0), threads + " threads");
            int[] chunks = {500, 13, LENGTH - 521, 1, 1, 5, 1};
            assertArrayEquals(whole, attention(threads, qkv, chunks, 0), threads + " threads, chunks");
            assertArrayEquals(whole, attention(threads, qkv, chunks, 2), threads + " threads, with others");
        }
    }

    @Test
    void aLongContextIsCutWhereThreadsWouldWait() {
        try (Scratch addresses = new Scratch();
                HostArena blocks = new HostArena();
                KvCache cache =
                        KvCache.alone(new BlockPool(new KvLayout(1, HEADS, DType.F16), blocks, BlockPool.UNBOUNDED))) {
            cache.reserve(LENGTH);
            cache.advance(LENGTH - 1, SCALING);
            Batch batch = new Batch(new int[1], List.of(new Batch.Span(0, 1, cache, NONE)));
            List<AttentionPlan.Tile> tiles = AttentionPlan.tiles(batch, addresses);
            Kernels kernels = KernelTiers.of(tier);
            assertEquals(1, AttentionPlan.of(tiles, HEADS, kernels, 1).pieces().size());
            AttentionPlan plan = AttentionPlan.of(tiles, HEADS, kernels, 2);
            assertEquals(3, plan.pieces().size());
            assertTrue(plan.stateFloats() >= 3 * 6 * 22, "too little memory: " + plan.stateFloats());
            HeadLayout many = new HeadLayout(32, 32, 20);
            assertEquals(1, AttentionPlan.of(tiles, many, kernels, 2).pieces().size());
        }
    }
}
