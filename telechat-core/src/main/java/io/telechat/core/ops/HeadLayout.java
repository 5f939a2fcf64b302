// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

/**
 * How attention heads lie in a row of queries | keys | values.
 *
 * @param heads query heads
 * @param kvHeads key/value heads; query head h reads key/value head {@code h / (heads/kvHeads)}
 * @param headDim features per head, even
 */
public record HeadLayout(int heads, int kvHeads, int headDim) {
    public HeadLayout {
        if (heads < 1 || kvHeads < 1 || headDim < 2 || headDim % 2 != 0 || heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "impossible heads: %d query, %d key/value, %d wide".formatted(heads, kvHeads, headDim));
        }
    }

    /** Query heads that share one key/value head. */
    public int groupSize() {
        return heads / kvHeads;
    }

    public int queryWidth() {
        return heads * headDim;
    }

    public int kvWidth() {
        return kvHeads * headDim;
    }

    /** Width of a row of queries | keys | values. */
    public int qkvWidth() {
        return queryWidth() + 2 * kvWidth();
    }
}
