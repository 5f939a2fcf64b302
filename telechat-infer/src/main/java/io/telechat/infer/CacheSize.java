// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.ops.KvLayout;

/** How much memory the keys and values of all sequences may take together. It is taken as they come. */
public sealed interface CacheSize {
    /** Room for one sequence as long as the context. */
    record OneContext() implements CacheSize {}

    /** Room for so many tokens. */
    record Tokens(int count) implements CacheSize {}

    /** So many bytes. */
    record Bytes(long count) implements CacheSize {}

    /** What the weights leave of half the machine's memory, but room for one context in any case. */
    record HalfOfMachine() implements CacheSize {}

    /**
     * The number of blocks.
     *
     * @param layout of a block, of the whole model
     * @param contextLength asked for
     * @param left of half the machine's memory
     * @throws InvalidRequestException if they hold no context at all
     */
    default int blocks(KvLayout layout, int contextLength, long left) {
        int context = KvLayout.blocks(contextLength);
        return switch (this) {
            case OneContext c -> context;
            case Tokens c -> Math.max(context, KvLayout.blocks(c.count()));
            case HalfOfMachine c -> Math.clamp(left / layout.blockBytes(), context, Integer.MAX_VALUE / 2);
            case Bytes c -> {
                long blocks = c.count() / layout.blockBytes();
                if (blocks < 1) {
                    throw new InvalidRequestException(
                            "%,d bytes for keys and values hold none of this model's blocks of %,d: give it more",
                            c.count(), layout.blockBytes());
                }
                yield (int) Math.min(blocks, Integer.MAX_VALUE / 2);
            }
        };
    }
}
