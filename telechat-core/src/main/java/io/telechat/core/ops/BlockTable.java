// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import java.util.Arrays;

/** Which blocks of a pool hold the keys and values of one sequence, in the order of its positions. */
public final class BlockTable {
    private final BlockPool pool;
    private int[] blocks = new int[4];
    private int size;

    public BlockTable(BlockPool pool) {
        this.pool = pool;
    }

    public BlockPool pool() {
        return pool;
    }

    /** How many blocks it has. */
    public int size() {
        return size;
    }

    /** Number of the block for positions from {@code index · BLOCK} on. */
    public int get(int index) {
        return blocks[index];
    }

    public int[] toArray() {
        return Arrays.copyOf(blocks, size);
    }

    /** Adds a block, whose reference becomes this table's. */
    public void add(int block) {
        blocks = size == blocks.length ? Arrays.copyOf(blocks, 2 * size) : blocks;
        blocks[size++] = block;
    }

    /** Takes blocks until there is room for so many positions. */
    public void reserve(int positions) {
        while (size < KvLayout.blocks(positions)) {
            add(pool.take());
        }
    }

    /** Puts another block in the place of one, whose reference is taken back; the other's becomes this table's. */
    public void replace(int index, int block) {
        pool.release(blocks[index]);
        blocks[index] = block;
    }

    /** Takes back the references of all blocks but the first few. */
    public void truncate(int count) {
        while (size > count) {
            pool.release(blocks[--size]);
        }
    }
}
