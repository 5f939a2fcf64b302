// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * How the attention of a batch is shared out: a piece is a few tokens of one sequence and the stretches of the context that they
 * look at; with a key/value head, it is a task. The context of a tile is cut where one head of it would be so much of the work
 * that threads had to wait for it. Which bits come out does not depend on the cut.
 *
 * @param stateFloats of what the cut pieces gather
 */
record AttentionPlan(HeadLayout heads, List<Tile> tiles, List<Piece> pieces, long stateFloats) {
    /** Tokens per tile: a whole number of the kernels' tiles, which are of 6, 8 or 14 queries. */
    private static final int TILE = 48;
    /** A head of a tile that is more than one of so many equal parts of a thread's work is cut. */
    private static final int PARTS = 8;
    /** To read a position from the cache takes as long as to compute so many queries on it. */
    private static final int READING = 8;

    /**
     * A few neighbouring tokens of one sequence.
     *
     * @param blocks addresses of the sequence's cache blocks
     * @param first the first of the tokens, counted within the span
     */
    record Tile(Batch.Span span, MemorySegment blocks, int first, int count) {
        int position() {
            return span.cache().length() + first;
        }

        /** Row of the first token in the batch. */
        int row() {
            return span.first() + first;
        }

        /** Stretches of the context that the last token sees. */
        int stretches() {
            return Math.ceilDiv(position() + count, Kernels.STRETCH);
        }

        /** What attention of one of the key/value heads takes, but for a factor. */
        private long work(int group) {
            return (READING + (long) count * group) * (position() + count);
        }
    }

    /**
     * A tile and the stretches from {@code first} to before {@code end}.
     *
     * @param states where what is gathered there goes, in floats, unless that is all of the context; the tile's next piece follows
     */
    record Piece(Tile tile, int first, int end, long states) {
        boolean isFirst() {
            return first == 0;
        }

        /** The one whose stretch the tile's own keys and values are in, if that is a single token. */
        boolean isLast() {
            return end == tile.stretches();
        }

        boolean isWhole() {
            return isFirst() && isLast();
        }
    }

    /** @param addresses takes the addresses of the blocks */
    static List<Tile> tiles(Batch batch, Scratch addresses) {
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

    static AttentionPlan of(List<Tile> tiles, HeadLayout heads, Kernels kernels, int threads) {
        int group = heads.groupSize();
        long work = 0;
        for (Tile tile : tiles) {
            work += tile.work(group) * heads.kvHeads();
        }
        long most = work / ((long) PARTS * threads);
        List<Piece> pieces = new ArrayList<>();
        long states = 0;
        for (Tile tile : tiles) {
            if (threads == 1 || tile.work(group) <= most) {
                pieces.add(new Piece(tile, 0, tile.stretches(), 0));
                continue;
            }
            for (int i = 0; i < tile.stretches(); i++) {
                pieces.add(new Piece(tile, i, i + 1, states));
                states += heads.kvHeads() * stateFloats(kernels, tile, heads);
            }
        }
        return new AttentionPlan(heads, tiles, pieces, states);
    }

    /** Floats of what the queries of one key/value head gather. */
    static long stateFloats(Kernels kernels, Tile tile, HeadLayout heads) {
        return kernels.attendState((long) tile.count() * heads.groupSize(), heads.headDim());
    }
}
