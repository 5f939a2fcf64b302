// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.backend.cpu.kernel.Kernels.CachedHead;
import io.telechat.core.backend.cpu.kernel.Kernels.HeadRows;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention of the new tokens of each sequence over its cache. A task is one key/value head and a few tokens of one sequence:
 * their queries share each block of keys and values while it is in the first-level cache.
 */
final class CachedAttention implements AutoCloseable {
    /** Tokens per task. */
    private static final int TILE = 32;

    private final WorkerTeam workers;
    private final Kernels kernels;
    private final Scratch[] scratch;
    private final Scratch addresses = new Scratch();

    CachedAttention(WorkerTeam workers, Kernels kernels) {
        this.workers = workers;
        this.kernels = kernels;
        this.scratch = Scratch.perThread(workers.size());
    }

    /** One call's operands. */
    private record Call(Tensor qkv, HeadLayout heads, int layer, Tensor out, Tensor lse) {}

    /**
     * A few neighbouring tokens of one sequence.
     *
     * @param blocks addresses of the sequence's cache blocks
     * @param first the first of the tokens, counted within the span
     */
    private record Tile(Batch.Span span, MemorySegment blocks, int first, int count) {
        int position() {
            return span.cache().length() + first;
        }

        /** Row of the first token in the batch. */
        int row() {
            return span.first() + first;
        }
    }

    void run(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        Call call = new Call(qkv, heads, layer, out, lse);
        List<Tile> tiles = tiles(batch);
        int kvHeads = heads.kvHeads();
        boolean single = batch.spans().stream().allMatch(span -> span.count() == 1);
        if (!single) {
            // A tile reads what earlier tiles of its sequence store.
            workers.run(
                    tiles.size() * kvHeads, (task, worker) -> store(call, tiles.get(task / kvHeads), task % kvHeads));
        }
        workers.run(tiles.size() * kvHeads, (task, worker) -> {
            // The last tokens see the longest context: they go first, so that no thread is left alone with them.
            Tile tile = tiles.get(tiles.size() - 1 - task / kvHeads);
            if (single) {
                store(call, tile, task % kvHeads);
            }
            attend(call, tile, task % kvHeads, worker);
        });
    }

    private List<Tile> tiles(Batch batch) {
        int blocks = 0;
        for (Batch.Span span : batch.spans()) {
            blocks += blocks(span);
        }
        MemorySegment table = addresses.bytes(8L * blocks);
        List<Tile> tiles = new ArrayList<>();
        long at = 0;
        for (Batch.Span span : batch.spans()) {
            MemorySegment own = table.asSlice(8 * at, 8L * blocks(span));
            for (int i = 0; i < blocks(span); i++) {
                own.set(
                        ValueLayout.JAVA_LONG,
                        8L * i,
                        span.cache().block(i).segment().address());
            }
            at += blocks(span);
            for (int first = 0; first < span.count(); first += TILE) {
                tiles.add(new Tile(span, own, first, Math.min(TILE, span.count() - first)));
            }
        }
        return tiles;
    }

    /** Blocks that a sequence has with its new tokens. */
    private static int blocks(Batch.Span span) {
        return (span.cache().length() + span.count() + KvCache.BLOCK - 1) / KvCache.BLOCK;
    }

    private static CachedHead head(Call call, Tile tile, int kvHead) {
        KvCache cache = tile.span().cache();
        return new CachedHead(
                cache.dtype(),
                tile.blocks(),
                cache.keyOffset(call.layer(), kvHead),
                cache.valueOffset(call.layer(), kvHead),
                call.heads().headDim());
    }

    private void store(Call call, Tile tile, int kvHead) {
        HeadLayout heads = call.heads();
        long key = (long) tile.row() * heads.qkvWidth() + heads.queryWidth() + (long) kvHead * heads.headDim();
        MemorySegment qkv = call.qkv().segment();
        kernels.storeKeysValues(
                head(call, tile, kvHead),
                tile.position(),
                tile.count(),
                qkv.asSlice(4 * key),
                qkv.asSlice(4 * (key + heads.kvWidth())),
                heads.qkvWidth());
    }

    private void attend(Call call, Tile tile, int kvHead, int worker) {
        HeadLayout heads = call.heads();
        int group = heads.groupSize();
        kernels.attend(
                head(call, tile, kvHead),
                tile.position(),
                tile.count(),
                group,
                rows(call.qkv(), tile.row(), (long) kvHead * group * heads.headDim()),
                rows(call.out(), tile.row(), (long) kvHead * group * heads.headDim()),
                rows(call.lse(), tile.row(), (long) kvHead * group),
                scratch[worker].floats(Kernels.attendScratch((long) tile.count() * group, heads.headDim())));
    }

    private static HeadRows rows(Tensor matrix, int row, long column) {
        return new HeadRows(matrix.segment().asSlice(4 * (row * matrix.columns() + column)), matrix.columns());
    }

    @Override
    public void close() {
        addresses.close();
        for (Scratch one : scratch) {
            one.close();
        }
    }
}
