// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.ops.KvLayout;

/** From memory to blocks of keys and values. */
final class CacheBlocks {
    private CacheBlocks() {}

    /**
     * The number of blocks.
     *
     * @param layout of a block, of the whole model
     * @param contextLength asked for
     * @param left of half the machine's memory
     * @throws InvalidRequestException if they hold no context at all
     */
    static int of(CacheSize size, KvLayout layout, int contextLength, long left) {
        int context = KvLayout.blocks(contextLength);
        return switch (size) {
            case CacheSize.OneContext c -> context;
            case CacheSize.Tokens c -> Math.max(context, KvLayout.blocks(c.count()));
            case CacheSize.HalfOfMachine c -> Math.clamp(left / layout.blockBytes(), context, Integer.MAX_VALUE / 2);
            case CacheSize.Bytes c -> {
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
