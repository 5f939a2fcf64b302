// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.Tensor;
import java.util.Optional;

/**
 * Keys and values of one sequence, for all layers: a table of blocks, how many positions are stored in them, and under which
 * rotation.
 *
 * <p>Not thread-safe: one sequence is computed by one call at a time.
 */
public final class KvCache implements AutoCloseable {
    private final BlockTable table;
    private final boolean ownsPool;
    private int length;
    private int promptTokens;
    private Optional<RopeScaling> scaling = Optional.empty();
    private boolean uniform = true;

    private KvCache(BlockTable table, boolean ownsPool) {
        this.table = table;
        this.ownsPool = ownsPool;
    }

    /** An empty cache in a pool that others use as well. */
    public static KvCache in(BlockPool pool) {
        return new KvCache(new BlockTable(pool), false);
    }

    /** An empty cache that has a pool for itself, and closes it. */
    public static KvCache alone(BlockPool pool) {
        return new KvCache(new BlockTable(pool), true);
    }

    /** Positions that others have stored. */
    public static KvCache of(BlockTable table, int length) {
        KvCache cache = new KvCache(table, false);
        cache.length = length;
        return cache;
    }

    public BlockTable table() {
        return table;
    }

    public KvLayout layout() {
        return table.pool().layout();
    }

    /** Positions stored so far in every layer. */
    public int length() {
        return length;
    }

    /** A sequence begins with a call of so many tokens. */
    public void beginPrompt(int tokens) {
        promptTokens = tokens;
    }

    /** Tokens of the call that the sequence began with. */
    public int promptTokens() {
        return promptTokens;
    }

    /** Block {@code index}, for positions from {@code index · BLOCK} on; see {@link KvLayout}. */
    public Tensor block(int index) {
        return table.pool().block(table.get(index));
    }

    /** Makes room for {@code positions} in all. */
    public void reserve(int positions) {
        table.reserve(positions);
    }

    /**
     * Takes over the first positions of another sequence.
     *
     * @param block that holds the next of them; its reference becomes this cache's
     * @param count how many of its positions
     * @param used the rotation under which they, and all before them, were computed
     */
    public void adopt(int block, int count, RopeScaling used) {
        table.add(block);
        advance(count, used);
    }

    /** Moves on by {@code count} positions whose keys and values every layer has stored. */
    public void advance(int count, RopeScaling used) {
        reserve(length + count);
        length += count;
        uniform = isAsFreshUnder(used);
        scaling = Optional.of(used);
    }

    /** Notes that the stored keys have been turned to another scaling; the states behind them are still of the old one. */
    public void turned(RopeScaling now) {
        uniform = false;
        scaling = Optional.of(now);
    }

    /** Forgets the positions from {@code length} on, and lets go of blocks that are not needed any more. */
    public void truncate(int length) {
        if (length > this.length) {
            throw new IllegalArgumentException("cannot cut " + this.length + " positions to " + length);
        }
        this.length = length;
        table.truncate(KvLayout.blocks(length));
        if (length == 0) {
            scaling = Optional.empty();
            uniform = true;
        }
    }

    /** The scaling of the latest call; empty while nothing is stored. */
    public Optional<RopeScaling> scaling() {
        return scaling;
    }

    /** Whether computing all positions afresh under this scaling would give the states that are stored. */
    public boolean isAsFreshUnder(RopeScaling fresh) {
        return uniform && scaling.map(fresh::equals).orElse(true);
    }

    @Override
    public void close() {
        if (ownsPool) {
            table.pool().close();
        } else {
            truncate(0);
        }
    }
}
