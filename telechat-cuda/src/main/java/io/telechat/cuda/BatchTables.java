// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.RopeTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What kernels have to know of a batch, on the GPU: ids, angles, which rows are whose, and where the caches' blocks are. Made
 * once for all layers.
 */
final class BatchTables {
    private final Uploads uploads;
    private final Batch batch;
    private final int[] lengths;

    /** Addresses; 0 for what has not been asked for. */
    private long tokens;

    private long cos;
    private long sin;
    private long queryFactors;
    private long spans;
    private long blockTable;
    private long tokenBlocks;
    private long tokenSlots;
    private long tiles;
    private int tileCount;
    private int tileRows;
    private int tileGroup;

    BatchTables(Batch batch, Uploads uploads) {
        this.batch = batch;
        this.uploads = uploads;
        this.lengths = lengths(batch);
    }

    /** Whether these are the tables of this batch as it is now. */
    boolean areOf(Batch other) {
        return batch == other && Arrays.equals(lengths, lengths(other));
    }

    private static int[] lengths(Batch batch) {
        int[] lengths = new int[batch.spans().size()];
        for (int i = 0; i < lengths.length; i++) {
            Batch.Span span = batch.spans().get(i);
            lengths[i] = span.isCached() ? span.cache().length() : 0;
        }
        return lengths;
    }

    /** Whether these ids are the batch's. */
    boolean hasTokens(int[] ids) {
        return batch.tokens() == ids;
    }

    /** int[tokens] */
    long tokens() {
        if (tokens == 0) {
            tokens = uploads.put(batch.tokens());
        }
        return tokens;
    }

    /** float[tokens, half] */
    long cos() {
        angles();
        return cos;
    }

    /** float[tokens, half] */
    long sin() {
        angles();
        return sin;
    }

    /** float[tokens]; 0 where no query has a factor. */
    long queryFactors() {
        angles();
        return queryFactors;
    }

    private void angles() {
        if (cos == 0 && batch.size() > 0) {
            int half = batch.spans().getFirst().rope().half();
            float[] cosines = new float[batch.size() * half];
            float[] sines = new float[batch.size() * half];
            for (Batch.Span span : batch.spans()) {
                RopeTable rope = span.rope();
                System.arraycopy(rope.cos(), 0, cosines, span.first() * half, span.count() * half);
                System.arraycopy(rope.sin(), 0, sines, span.first() * half, span.count() * half);
            }
            cos = uploads.put(cosines);
            sin = uploads.put(sines);
            if (batch.spans().stream().anyMatch(s -> s.rope().sharpensAny(s.count()))) {
                queryFactors = uploads.put(factors());
            }
        }
    }

    private float[] factors() {
        float[] factors = new float[batch.size()];
        for (Batch.Span span : batch.spans()) {
            for (int t = 0; t < span.count(); t++) {
                factors[span.first() + t] = span.rope().queryFactor(t);
            }
        }
        return factors;
    }

    /** int4[spans]: first row, rows, cached positions, where its blocks begin in {@link #blockTable}. */
    long spans() {
        if (spans == 0) {
            int[] values = new int[4 * lengths.length];
            int table = 0;
            for (int i = 0; i < lengths.length; i++) {
                Batch.Span span = batch.spans().get(i);
                values[4 * i] = span.first();
                values[4 * i + 1] = span.count();
                values[4 * i + 2] = lengths[i];
                values[4 * i + 3] = table;
                table += span.isCached() ? blocks(i) : 0;
            }
            spans = uploads.put(values);
        }
        return spans;
    }

    private int blocks(int span) {
        return KvLayout.blocks(lengths[span] + batch.spans().get(span).count());
    }

    /** int64[blocks of all spans], addresses. */
    long blockTable() {
        if (blockTable == 0) {
            List<Long> addresses = new ArrayList<>();
            for (int i = 0; i < lengths.length; i++) {
                Batch.Span span = batch.spans().get(i);
                for (int block = 0; span.isCached() && block < blocks(i); block++) {
                    addresses.add(DeviceStorage.address(span.cache().block(block)));
                }
            }
            blockTable =
                    uploads.put(addresses.stream().mapToLong(Long::longValue).toArray());
        }
        return blockTable;
    }

    /** int64[tokens]: address of the block that a token's keys and values go to; 0 for none. */
    long tokenBlocks() {
        places();
        return tokenBlocks;
    }

    /** int[tokens]: and which of the block's positions that is. */
    long tokenSlots() {
        places();
        return tokenSlots;
    }

    private void places() {
        if (tokenBlocks == 0) {
            long[] blocks = new long[batch.size()];
            int[] slots = new int[batch.size()];
            for (int i = 0; i < lengths.length; i++) {
                Batch.Span span = batch.spans().get(i);
                for (int t = 0; span.isCached() && t < span.count(); t++) {
                    int position = lengths[i] + t;
                    int row = span.first() + t;
                    blocks[row] = DeviceStorage.address(span.cache().block(position / KvLayout.BLOCK));
                    slots[row] = position % KvLayout.BLOCK;
                }
            }
            tokenBlocks = uploads.put(blocks);
            tokenSlots = uploads.put(slots);
        }
    }

    /**
     * int2[tiles]: span, first row of a tile among the rows of the span's queries.
     *
     * @param rows of a tile
     * @param group queries of a token that are rows of one tile: those that share keys and values
     */
    long tiles(int rows, int group) {
        if (tiles == 0 || rows != tileRows || group != tileGroup) {
            List<Integer> values = new ArrayList<>();
            for (int i = 0; i < lengths.length; i++) {
                for (int row = 0; row < batch.spans().get(i).count() * group; row += rows) {
                    values.add(i);
                    values.add(row);
                }
            }
            tiles = uploads.put(values.stream().mapToInt(Integer::intValue).toArray());
            tileCount = values.size() / 2;
            tileRows = rows;
            tileGroup = group;
        }
        return tiles;
    }

    /**
     * int4 for each tile: first row of the span, rows of the span, first row of the tile within the span, 0.
     *
     * @param rows of a tile
     */
    int[] rowTiles(int rows) {
        List<Integer> values = new ArrayList<>();
        for (Batch.Span span : batch.spans()) {
            for (int row = 0; row < span.count(); row += rows) {
                values.addAll(List.of(span.first(), span.count(), row, 0));
            }
        }
        return values.stream().mapToInt(Integer::intValue).toArray();
    }

    /** How many the latest {@link #tiles} are. */
    int tileCount() {
        return tileCount;
    }

    /** The most positions that a row of the batch sees. */
    int longest() {
        int longest = 0;
        for (int i = 0; i < lengths.length; i++) {
            longest = Math.max(longest, lengths[i] + batch.spans().get(i).count());
        }
        return longest;
    }
}
