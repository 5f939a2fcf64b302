// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.backend.cpu.kernel.Kernels.CachedHeads;
import io.telechat.core.backend.cpu.kernel.Kernels.HeadRows;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention of the new tokens of each sequence over its cache. A task is one key/value head and a few tokens of one sequence:
 * their queries share each block of keys and values while it is in the first-level cache. Single tokens take neighbouring heads
 * together, whose keys and values lie one behind the other.
 */
final class CachedAttention implements AutoCloseable {
    /** Tokens per task. */
    private static final int TILE = 32;

    private final WorkerTeam workers;
    private final Kernels kernels;
    private final Scratch[] scratch;
    private final Scratch addresses = new Scratch();
    private Batch batch;
    private List<Tile> tiles;

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

    /** Some neighbouring key/value heads of a tile. */
    private record Part(Tile tile, int kvHead, int count) {}

    /** Cuts a batch into tiles and notes where its blocks are: the same for all layers. */
    void begin(Batch batch) {
        this.batch = batch;
        this.tiles = tiles(batch);
    }

    void run(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        if (batch != this.batch) {
            begin(batch);
        }
        Call call = new Call(qkv, heads, layer, out, lse);
        int kvHeads = heads.kvHeads();
        int tasks = tiles.size() * kvHeads;
        if (batch.size() == batch.spans().size()) {
            // One new token each: no tile reads what another stores.
            workers.runTogether(tasks, (first, end, worker) -> singles(call, tiles, first, end, worker));
            return;
        }
        // A tile reads what earlier tiles of its sequence store.
        workers.run(tasks, (task, worker) -> store(call, new Part(tiles.get(task / kvHeads), task % kvHeads, 1)));
        workers.run(tasks, (task, worker) -> {
            // The last tokens see the longest context: they go first, so that no thread is left alone with them.
            Tile tile = tiles.get(tiles.size() - 1 - task / kvHeads);
            attend(call, new Part(tile, task % kvHeads, 1), worker);
        });
    }

    /** Tasks from {@code first} to before {@code end}, the heads of a tile together. */
    private void singles(Call call, List<Tile> tiles, int first, int end, int worker) {
        int kvHeads = call.heads().kvHeads();
        int task = first;
        while (task < end) {
            int kvHead = task % kvHeads;
            Part part = new Part(tiles.get(task / kvHeads), kvHead, Math.min(end - task, kvHeads - kvHead));
            store(call, part);
            attend(call, part, worker);
            task += part.count();
        }
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
        return KvLayout.blocks(span.cache().length() + span.count());
    }

    private static CachedHeads heads(Call call, Part part) {
        KvCache cache = part.tile().span().cache();
        return new CachedHeads(
                cache.layout().dtype(),
                part.tile().blocks(),
                cache.layout().keyOffset(call.layer(), part.kvHead()),
                cache.layout().valueOffset(call.layer(), part.kvHead()),
                part.count(),
                call.heads().headDim());
    }

    private void store(Call call, Part part) {
        HeadLayout heads = call.heads();
        Tile tile = part.tile();
        long key = (long) tile.row() * heads.qkvWidth() + heads.queryWidth() + (long) part.kvHead() * heads.headDim();
        MemorySegment qkv = call.qkv().segment();
        kernels.storeKeysValues(
                heads(call, part),
                tile.position(),
                tile.count(),
                qkv.asSlice(4 * key),
                qkv.asSlice(4 * (key + heads.kvWidth())),
                heads.qkvWidth());
    }

    private void attend(Call call, Part part, int worker) {
        Tile tile = part.tile();
        int group = call.heads().groupSize();
        int dim = call.heads().headDim();
        long firstHead = (long) part.kvHead() * group;
        kernels.attend(
                heads(call, part),
                tile.position(),
                tile.count(),
                group,
                rows(call.qkv(), tile.row(), firstHead * dim),
                rows(call.out(), tile.row(), firstHead * dim),
                rows(call.lse(), tile.row(), firstHead),
                scratch[worker].floats(kernels.attendScratch((long) tile.count() * group, dim)));
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
