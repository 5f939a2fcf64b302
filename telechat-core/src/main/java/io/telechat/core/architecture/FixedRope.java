// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.RopeScaling;

/** One rotation for every length: what most families have. */
record FixedRope(RopeScaling scaling) implements RopeRule {
    @Override
    public RopeScaling scaling(int promptTokens, int callTokens, int totalTokens) {
        return scaling;
    }

    @Override
    public boolean turnsCachedKeys() {
        return false;
    }
}
