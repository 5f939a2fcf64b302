// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.HeadBlock;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.RopeTable;
import java.lang.foreign.MemorySegment;

/**
 * Turns cached keys from one set of angles to another; plain loops, for it happens a few times in the longest chat. So a cache
 * of 8 bits, whose keys are rounded anew each time, hardly loses by it.
 */
final class KeyTurn {
    private KeyTurn() {}

    static void layer(KvCache cache, int layer, RopeTable from, RopeTable to) {
        float[] key = new float[cache.layout().heads().headDim()];
        for (int position = 0; position < cache.length(); position++) {
            int slot = position % KvLayout.BLOCK;
            for (int head = 0; head < cache.layout().heads().kvHeads(); head++) {
                HeadBlock keys = keys(cache, position / KvLayout.BLOCK, layer, head);
                keys.get(slot, key);
                turn(key, from, to, position * from.half());
                keys.put(slot, key);
            }
        }
    }

    private static HeadBlock keys(KvCache cache, int block, int layer, int head) {
        KvLayout layout = cache.layout();
        long size = layout.elementType().bytes();
        MemorySegment segment = cache.block(block)
                .segment()
                .asSlice(layout.keyOffset(layer, head) * size, layout.headElements() * size);
        return HeadBlock.keys(layout.dtype(), segment, layout.heads().headDim());
    }

    private static void turn(float[] key, RopeTable from, RopeTable to, int firstAngle) {
        int half = from.half();
        for (int i = 0; i < half; i++) {
            int angle = firstAngle + i;
            float a = key[i];
            float b = key[i + half];
            float plainA = a * from.cos()[angle] + b * from.sin()[angle];
            float plainB = b * from.cos()[angle] - a * from.sin()[angle];
            key[i] = plainA * to.cos()[angle] - plainB * to.sin()[angle];
            key[i + half] = plainB * to.cos()[angle] + plainA * to.sin()[angle];
        }
    }
}
