// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.BlockTable;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.RopeScaling;
import java.util.Arrays;
import java.util.Optional;

/**
 * Which blocks of a sequence are in the prefix cache: those from the beginning that are full, and how much of the one behind them.
 * Full blocks are never written to again, unless their keys are turned; that one goes on being written to by this sequence alone,
 * behind what the cache knows of it.
 */
final class SharedBlocks {
    private static final int BLOCK = KvLayout.BLOCK;

    private final Sequence sequence;
    /** The last of the full blocks; null before the first. */
    private PrefixCache.Node last;

    private PrefixCache.Node part;
    private int full;

    SharedBlocks(Sequence sequence) {
        this.sequence = sequence;
    }

    /** A block to be copied. */
    record Copy(int from, int to) {}

    /**
     * Takes over what the prefix cache has of an empty sequence.
     *
     * @return the copy to be made of a block that another sequence may go on writing to
     */
    Optional<Copy> adopt(PrefixCache.Match match) {
        RopeScaling scaling = sequence.scaling(0);
        KvCache cache = sequence.cache();
        BlockPool pool = cache.table().pool();
        for (PrefixCache.Node node : match.nodes()) {
            pool.retain(node.block());
            cache.adopt(node.block(), BLOCK, scaling);
            last = node;
        }
        full = match.nodes().size();
        if (match.part() == null) {
            return Optional.empty();
        }
        Copy copy = new Copy(match.part().block(), pool.take());
        cache.adopt(copy.to(), match.partCount(), scaling);
        return Optional.of(copy);
    }

    /**
     * Shows the prefix cache what has been computed since.
     *
     * @param all what is in a block that is not full, too
     */
    void share(PrefixCache prefixes, boolean all) {
        if (!sequence.cache().isAsFreshUnder(sequence.scaling(0))) {
            return; // a fresh computation would have other states
        }
        BlockTable table = sequence.cache().table();
        while ((full + 1) * BLOCK <= sequence.computed()) {
            int block = table.get(full);
            last = put(prefixes, (full + 1) * BLOCK);
            if (last.block() != block) {
                table.pool().retain(last.block());
                table.replace(full, last.block()); // others have computed the same
            }
            part = null;
            full++;
        }
        if (all && sequence.computed() > full * BLOCK) {
            PrefixCache.Node node = put(prefixes, sequence.computed());
            part = node.block() == table.get(full) ? node : null;
        }
    }

    /** The node of the first block that is not full, with its tokens up to {@code end}. */
    private PrefixCache.Node put(PrefixCache prefixes, int end) {
        int[] tokens = Arrays.copyOfRange(sequence.tokens(), full * BLOCK, end);
        if (part != null) {
            return prefixes.extend(part, tokens);
        }
        PrefixCache.Node parent = last == null ? prefixes.root(sequence.scope()) : last;
        return prefixes.add(parent, tokens, sequence.cache().table().get(full));
    }

    /** Lets go of all blocks of the sequence. */
    void release(PrefixCache prefixes) {
        if (last != null) {
            prefixes.touch(last);
        }
        sequence.cache().truncate(0);
        last = null;
        part = null;
        full = 0;
    }
}
