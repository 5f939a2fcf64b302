// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;

/**
 * Blocks of keys and values that sequences share (paged attention: Kwon et al. 2023, arXiv:2309.06180). A block has a number and
 * counts who refers to it; with the last reference it is free again, unless it is kept for those who may come. Its memory is
 * allocated when it is taken for the first time, and stays.
 *
 * <p>Not thread-safe: whoever computes with a pool has it for himself.
 */
public final class BlockPool implements AutoCloseable {
    /** No bound. */
    public static final int UNBOUNDED = Integer.MAX_VALUE;

    private final KvLayout layout;
    private final TensorArena arena;
    private final int capacity;
    private final List<Tensor> blocks = new ArrayList<>();
    private final Deque<Integer> free = new ArrayDeque<>();
    private int[] references = new int[16];
    private final BitSet kept = new BitSet();
    private int idle;
    private boolean closed;

    /**
     * @param arena owned by this pool from now on
     * @param capacity blocks at most
     */
    public BlockPool(KvLayout layout, TensorArena arena, int capacity) {
        this.layout = layout;
        this.arena = arena;
        this.capacity = capacity;
    }

    public KvLayout layout() {
        return layout;
    }

    public int capacity() {
        return capacity;
    }

    /** How many blocks can be taken. */
    public int available() {
        return capacity - blocks.size() + free.size();
    }

    /** How many blocks somebody refers to. */
    public int used() {
        return blocks.size() - free.size() - idle;
    }

    /** How many blocks are kept, and nobody refers to them. */
    public int idle() {
        return idle;
    }

    /**
     * Takes a free block, with one reference; what is in it is left from before.
     *
     * @throws IllegalStateException if none is {@link #available}
     */
    public int take() {
        if (free.isEmpty()) {
            if (blocks.size() == capacity) {
                throw new IllegalStateException("all " + capacity + " blocks are in use");
            }
            have(blocks.size());
            free.pop();
            return refer(blocks.size() - 1);
        }
        return refer(free.pop());
    }

    private int refer(int block) {
        references[block] = 1;
        return block;
    }

    /** Sees to it that there is memory for a block of this number; for whom another pool's numbers are told. */
    public void have(int block) {
        while (blocks.size() <= block) {
            blocks.add(arena.allocate(
                    layout.elementType(), layout.layers(), 2, layout.heads().kvHeads(), layout.headElements()));
            references = references.length < blocks.size() ? Arrays.copyOf(references, 2 * blocks.size()) : references;
            free.push(blocks.size() - 1);
        }
    }

    /** Adds a reference. */
    public void retain(int block) {
        if (references[block]++ == 0) {
            idle--;
        }
    }

    /** Takes a reference back. */
    public void release(int block) {
        if (--references[block] == 0) {
            rest(block);
        }
    }

    private void rest(int block) {
        if (kept.get(block)) {
            idle++;
        } else {
            free.push(block);
        }
    }

    /** Keeps a block that somebody refers to, also when nobody does any more. */
    public void keep(int block) {
        kept.set(block);
    }

    /** Does not keep a block any longer. */
    public void drop(int block) {
        kept.clear(block);
        if (references[block] == 0) {
            idle--;
            free.push(block);
        }
    }

    /** How many refer to a block. */
    public int references(int block) {
        return references[block];
    }

    /** The memory of a block; see {@link KvLayout}. */
    public Tensor block(int block) {
        return blocks.get(block);
    }

    public boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
        arena.close();
    }
}
