// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.AttentionPlan.Piece;
import io.telechat.core.backend.cpu.AttentionPlan.Tile;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.backend.cpu.kernel.Kernels.CachedHeads;
import io.telechat.core.backend.cpu.kernel.Kernels.HeadRows;
import io.telechat.core.backend.cpu.kernel.Kernels.Queries;
import io.telechat.core.backend.cpu.kernel.Kernels.States;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Attention of the new tokens of each sequence over its cache. A task is one key/value head and a few tokens of one sequence:
 * their queries share keys and values while those are in the caches of a core. A long context may be cut into several tasks, see
 * {@link AttentionPlan}; what they gather is folded afterwards. Single tokens take neighbouring heads together, whose keys and
 * values lie one behind the other.
 */
final class CachedAttention implements AutoCloseable {
    private final WorkerTeam workers;
    private final Kernels kernels;
    private final Scratch[] scratch;
    private final Scratch addresses = new Scratch();
    private final Scratch states = new Scratch();
    private Batch batch;
    private List<Tile> tiles;
    private AttentionPlan plan;

    CachedAttention(WorkerTeam workers, Kernels kernels) {
        this.workers = workers;
        this.kernels = kernels;
        this.scratch = Scratch.perThread(workers.size());
    }

    /**
     * One call's operands.
     *
     * @param states what cut pieces gather
     */
    private record Call(Tensor qkv, HeadLayout heads, int layer, Tensor out, Tensor lse, MemorySegment states) {}

    /** Some neighbouring key/value heads of a tile. */
    private record Part(Tile tile, int kvHead, int count) {}

    /** Cuts a batch into tiles and notes where its blocks are: the same for all layers. */
    void begin(Batch batch) {
        this.batch = batch;
        this.tiles = AttentionPlan.tiles(batch, addresses);
        this.plan = null;
    }

    void run(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        if (batch != this.batch) {
            begin(batch);
        }
        if (plan == null || !plan.heads().equals(heads)) {
            plan = AttentionPlan.of(tiles, heads, kernels, workers.size());
        }
        Call call = new Call(qkv, heads, layer, out, lse, states.floats(plan.stateFloats()));
        if (batch.size() == batch.spans().size()) {
            // One new token each: no tile reads what another stores.
            workers.runTogether(
                    plan.pieces().size() * heads.kvHeads(), (first, end, worker) -> singles(call, first, end, worker));
        } else {
            several(call);
        }
        if (plan.stateFloats() > 0) {
            fold(call);
        }
    }

    private void several(Call call) {
        int kvHeads = call.heads().kvHeads();
        List<Piece> pieces = plan.pieces();
        // A tile reads what earlier tiles of its sequence store.
        workers.run(
                tiles.size() * kvHeads,
                (task, worker) -> store(call, new Part(tiles.get(task / kvHeads), task % kvHeads, 1)));
        workers.run(pieces.size() * kvHeads, (task, worker) -> {
            // The last tokens see the longest context: they go first, so that no thread is left alone with them.
            Piece piece = pieces.get(pieces.size() - 1 - task / kvHeads);
            attend(call, piece, new Part(piece.tile(), task % kvHeads, 1), worker);
        });
    }

    /** Tasks from {@code first} to before {@code end}, the heads of a piece together. */
    private void singles(Call call, int first, int end, int worker) {
        int kvHeads = call.heads().kvHeads();
        int task = first;
        while (task < end) {
            int kvHead = task % kvHeads;
            Piece piece = plan.pieces().get(task / kvHeads);
            Part part = new Part(piece.tile(), kvHead, Math.min(end - task, kvHeads - kvHead));
            if (piece.isLast()) {
                store(call, part);
            }
            attend(call, piece, part, worker);
            task += part.count();
        }
    }

    /** What was gathered in the pieces of tiles that were cut. */
    private void fold(Call call) {
        int kvHeads = call.heads().kvHeads();
        List<Piece> cut = plan.pieces().stream()
                .filter(piece -> piece.isFirst() && !piece.isWhole())
                .toList();
        workers.runTogether(cut.size() * kvHeads, (first, end, worker) -> {
            for (int task = first; task < end; task++) {
                Piece piece = cut.get(task / kvHeads);
                Part part = new Part(piece.tile(), task % kvHeads, 1);
                give(call, part, states(call, piece, part), piece.tile().stretches());
            }
        });
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

    private void attend(Call call, Piece piece, Part part, int worker) {
        CachedHeads heads = heads(call, part);
        Queries queries = queries(call, part);
        long scratchFloats = kernels.attendScratch(queries.perHead(), heads.headDim());
        long own = piece.isWhole() ? part.count() * stateFloats(call, part.tile()) : 0;
        MemorySegment memory = scratch[worker].floats(scratchFloats + own);
        MemorySegment gathered = piece.isWhole() ? memory.asSlice(4 * scratchFloats) : states(call, piece, part);
        kernels.attend(heads, queries, piece.first(), piece.end(), gathered, memory);
        if (piece.isWhole()) {
            give(call, part, gathered, 1);
        }
    }

    /** Gives the result of what was gathered in so many pieces. */
    private void give(Call call, Part part, MemorySegment gathered, int pieces) {
        Tile tile = part.tile();
        HeadLayout heads = call.heads();
        long firstHead = (long) part.kvHead() * heads.groupSize();
        kernels.attendFold(
                heads(call, part),
                queries(call, part),
                new States(gathered, pieces, heads.kvHeads() * stateFloats(call, tile)),
                rows(call.out(), tile.row(), firstHead * heads.headDim()),
                rows(call.lse(), tile.row(), firstHead));
    }

    private static Queries queries(Call call, Part part) {
        Tile tile = part.tile();
        int group = call.heads().groupSize();
        long column = (long) part.kvHead() * group * call.heads().headDim();
        return new Queries(tile.position(), tile.count(), group, rows(call.qkv(), tile.row(), column));
    }

    private MemorySegment states(Call call, Piece piece, Part part) {
        return call.states().asSlice(4 * (piece.states() + part.kvHead() * stateFloats(call, part.tile())));
    }

    private long stateFloats(Call call, Tile tile) {
        return AttentionPlan.stateFloats(kernels, tile, call.heads());
    }

    private static HeadRows rows(Tensor matrix, int row, long column) {
        return new HeadRows(matrix.segment().asSlice(4 * (row * matrix.columns() + column)), matrix.columns());
    }

    @Override
    public void close() {
        addresses.close();
        states.close();
        for (Scratch one : scratch) {
            one.close();
        }
    }
}
