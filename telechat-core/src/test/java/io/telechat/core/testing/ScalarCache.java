// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Keys and values in a cache, element by element, as {@link KvLayout} says in words. */
final class ScalarCache {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final KvCache cache;
    private final int layer;
    private final int kvHead;

    ScalarCache(KvCache cache, int layer, int kvHead) {
        this.cache = cache;
        this.layer = layer;
        this.kvHead = kvHead;
    }

    float key(int position, int d) {
        return get(true, position, d);
    }

    float value(int position, int d) {
        return get(false, position, d);
    }

    void putKey(int position, float[] key) {
        put(true, position, key);
    }

    void putValue(int position, float[] value) {
        put(false, position, value);
    }

    private KvLayout layout() {
        return cache.layout();
    }

    private Tensor block(int position) {
        return cache.block(position / KvLayout.BLOCK);
    }

    private long first(boolean isKey) {
        return isKey ? layout().keyOffset(layer, kvHead) : layout().valueOffset(layer, kvHead);
    }

    private long at(boolean isKey, int position, int d) {
        int slot = position % KvLayout.BLOCK;
        return first(isKey)
                + (isKey ? d * KvLayout.BLOCK + slot : slot * layout().heads().headDim() + d);
    }

    private long scaleAt(boolean isKey, int position, int d) {
        long integers = (long) KvLayout.BLOCK * layout().heads().headDim();
        return first(isKey) + integers + 2L * (d / 32 * KvLayout.BLOCK + position % KvLayout.BLOCK);
    }

    private float get(boolean isKey, int position, int d) {
        long at = at(isKey, position, d);
        if (layout().dtype() != DType.Q8) {
            return block(position).getFloat(at);
        }
        MemorySegment bytes = block(position).segment();
        float scale = Float.float16ToFloat(bytes.get(SHORT, scaleAt(isKey, position, d)));
        return bytes.get(ValueLayout.JAVA_BYTE, at) * scale;
    }

    private void put(boolean isKey, int position, float[] elements) {
        for (int d = 0; d < elements.length; d++) {
            long at = at(isKey, position, d);
            if (layout().dtype() != DType.Q8) {
                block(position).setFloat(at, elements[d]);
                continue;
            }
            short bits = scale(elements, d / 32 * 32);
            float scale = Float.float16ToFloat(bits);
            MemorySegment bytes = block(position).segment();
            bytes.set(SHORT, scaleAt(isKey, position, d), bits);
            double steps = Math.rint(elements[d] / scale);
            bytes.set(ValueLayout.JAVA_BYTE, at, scale == 0 ? 0 : (byte) Math.max(-127, Math.min(127, steps)));
        }
    }

    private static short scale(float[] elements, int first) {
        float largest = 0;
        for (int d = first; d < Math.min(elements.length, first + 32); d++) {
            if (!Float.isFinite(elements[d])) {
                return Float.floatToFloat16(Float.NaN);
            }
            largest = Math.max(largest, Math.abs(elements[d]));
        }
        return Float.floatToFloat16(largest / 127);
    }
}
