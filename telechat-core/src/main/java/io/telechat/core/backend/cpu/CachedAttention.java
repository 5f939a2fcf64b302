// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.backend.cpu.kernel.AttentionKernel;
import io.telechat.core.backend.cpu.kernel.WidenKernel;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Attention of the new tokens of one sequence over its cache. A task is one key/value head and a few tokens: their queries
 * share each block of keys and values while it is in the first-level cache.
 */
final class CachedAttention {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int BLOCK = KvCache.BLOCK;
    /** Tokens per task. */
    private static final int TILE = 16;

    private final WorkerTeam workers;
    private final Scratch[] scratch;

    CachedAttention(WorkerTeam workers) {
        this.workers = workers;
        this.scratch = new Scratch[workers.size()];
    }

    /** Memory of one thread: a block of keys, [headDim, BLOCK], and of values, [BLOCK, headDim], as floats. */
    private record Scratch(float[] keys, float[] values, float[] scores) {}

    private Scratch scratch(int worker, int headDim) {
        if (scratch[worker] == null || scratch[worker].keys().length != BLOCK * headDim) {
            scratch[worker] = new Scratch(new float[BLOCK * headDim], new float[BLOCK * headDim], new float[BLOCK]);
        }
        return scratch[worker];
    }

    void run(Tensor qkv, HeadLayout heads, Batch.Span span, int layer, Tensor out, Tensor lse) {
        workers.run(heads.kvHeads(), (head, worker) -> store(qkv, heads, span, layer, head));
        int tiles = (span.count() + TILE - 1) / TILE;
        workers.run(heads.kvHeads() * tiles, (task, worker) -> {
            // The last tokens see the longest context: they go first, so that no thread is left alone with them.
            int first = (tiles - 1 - task / heads.kvHeads()) * TILE;
            int count = Math.min(TILE, span.count() - first);
            attend(
                    qkv,
                    heads,
                    span,
                    layer,
                    task % heads.kvHeads(),
                    first,
                    count,
                    out,
                    lse,
                    scratch(worker, heads.headDim()));
        });
    }

    private static void store(Tensor qkv, HeadLayout heads, Batch.Span span, int layer, int head) {
        KvCache cache = span.cache();
        int dim = heads.headDim();
        for (int t = 0; t < span.count(); t++) {
            int position = cache.length() + t;
            Tensor block = cache.block(position / BLOCK);
            int slot = position % BLOCK;
            long row = (long) (span.first() + t) * heads.qkvWidth() + heads.queryWidth() + (long) head * dim;
            long keys = cache.keyOffset(layer, head) + slot;
            long values = cache.valueOffset(layer, head) + (long) slot * dim;
            for (int d = 0; d < dim; d++) {
                block.setFloat(keys + (long) d * BLOCK, qkv.segment().get(FLOAT, 4 * (row + d)));
                block.setFloat(values + d, qkv.segment().get(FLOAT, 4 * (row + heads.kvWidth() + d)));
            }
        }
    }

    private static void attend(
            Tensor qkv,
            HeadLayout heads,
            Batch.Span span,
            int layer,
            int kvHead,
            int first,
            int count,
            Tensor out,
            Tensor lse,
            Scratch scratch) {
        KvCache cache = span.cache();
        int dim = heads.headDim();
        int group = heads.groupSize();
        float[] queries = queries(qkv, heads, span.first() + first, count, kvHead);
        AttentionKernel.State[] states = new AttentionKernel.State[count * group];
        for (int i = 0; i < states.length; i++) {
            states[i] = new AttentionKernel.State(dim);
        }
        float[] keys = scratch.keys();
        float[] values = scratch.values();
        int firstPosition = cache.length() + first;
        int lastPosition = firstPosition + count - 1;
        for (int start = 0; start <= lastPosition; start += BLOCK) {
            Tensor block = cache.block(start / BLOCK);
            WidenKernel.toFloats(block.segment(), block.dtype(), cache.keyOffset(layer, kvHead), keys, 0, keys.length);
            WidenKernel.toFloats(
                    block.segment(), block.dtype(), cache.valueOffset(layer, kvHead), values, 0, values.length);
            for (int t = Math.max(0, start - firstPosition); t < count; t++) {
                int valid = Math.min(BLOCK, firstPosition + t + 1 - start);
                for (int g = 0; g < group; g++) {
                    int query = t * group + g;
                    AttentionKernel.block(queries, query * dim, keys, values, valid, scratch.scores(), states[query]);
                }
            }
        }
        write(states, heads, span.first() + first, count, kvHead, out, lse);
    }

    /** [count, group, headDim], scaled by 1/√headDim. */
    private static float[] queries(Tensor qkv, HeadLayout heads, int firstRow, int count, int kvHead) {
        int width = heads.groupSize() * heads.headDim();
        float[] queries = new float[count * width];
        for (int t = 0; t < count; t++) {
            long at = (long) (firstRow + t) * heads.qkvWidth() + (long) kvHead * width;
            MemorySegment.copy(qkv.segment(), FLOAT, 4 * at, queries, t * width, width);
        }
        float scale = (float) (1 / Math.sqrt(heads.headDim()));
        for (int i = 0; i < queries.length; i++) {
            queries[i] *= scale;
        }
        return queries;
    }

    private static void write(
            AttentionKernel.State[] states,
            HeadLayout heads,
            int firstRow,
            int count,
            int kvHead,
            Tensor out,
            Tensor lse) {
        int group = heads.groupSize();
        int width = group * heads.headDim();
        float[] row = new float[width];
        for (int t = 0; t < count; t++) {
            for (int g = 0; g < group; g++) {
                states[t * group + g].finish(row, g * heads.headDim());
                long head = (long) (firstRow + t) * heads.heads() + (long) kvHead * group + g;
                lse.setFloat(head, states[t * group + g].logSumExp());
            }
            long at = (long) (firstRow + t) * heads.queryWidth() + (long) kvHead * width;
            MemorySegment.copy(row, 0, out.segment(), FLOAT, 4 * at, width);
        }
    }
}
