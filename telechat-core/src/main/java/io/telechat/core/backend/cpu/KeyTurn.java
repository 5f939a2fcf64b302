// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.tensor.Tensor;

/** Turns cached keys from one set of angles to another; plain loops, for it happens a few times in the longest chat. */
final class KeyTurn {
    private KeyTurn() {}

    static void layer(KvCache cache, int layer, RopeTable from, RopeTable to) {
        int half = from.half();
        for (int position = 0; position < cache.length(); position++) {
            Tensor block = cache.block(position / KvLayout.BLOCK);
            int slot = position % KvLayout.BLOCK;
            for (int head = 0; head < cache.layout().heads().kvHeads(); head++) {
                long keys = cache.layout().keyOffset(layer, head) + slot;
                for (int i = 0; i < half; i++) {
                    turn(
                            block,
                            keys + (long) i * KvLayout.BLOCK,
                            keys + (long) (i + half) * KvLayout.BLOCK,
                            from,
                            to,
                            position * half + i);
                }
            }
        }
    }

    private static void turn(Tensor block, long first, long second, RopeTable from, RopeTable to, int angle) {
        float a = block.getFloat(first);
        float b = block.getFloat(second);
        float plainA = a * from.cos()[angle] + b * from.sin()[angle];
        float plainB = b * from.cos()[angle] - a * from.sin()[angle];
        block.setFloat(first, plainA * to.cos()[angle] - plainB * to.sin()[angle]);
        block.setFloat(second, plainB * to.cos()[angle] + plainA * to.sin()[angle]);
    }
}
