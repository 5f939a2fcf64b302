// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.RopeScaling;

/** How an architecture chooses the rotation for a call of the model: its NTK scaling, and what becomes of cached keys. */
public interface RopeRule {
    /**
     * @param promptTokens new tokens of the sequence's first call, which may be this one
     * @param callTokens new tokens of this call: the whole prompt when it is processed, 1 in each step after it
     * @param totalTokens new and cached tokens together
     */
    RopeScaling scaling(int promptTokens, int callTokens, int totalTokens);

    /**
     * Whether cached keys follow when the scaling changes (the 52B, which caches them un-rotated) or stay as they were
     * stored.
     */
    boolean turnsCachedKeys();

    /**
     * The NTK factor of all architectures: {@code max(2^⌈log₂(length/base) + 1⌉ − 1, 1)}, that is 1 up to {@code base}, then 3
     * up to twice as much, then 7 … ({@code get_ntk_alpha} in the reference's modeling_telechat.py).
     */
    static double ntkAlpha(int length, int base) {
        double contextValue = Math.log((double) length / base) / Math.log(2) + 1;
        // log₂ by division of logarithms is off by an ulp at exact powers of two, where the ceiling would jump.
        double rounded = Math.rint(contextValue);
        double ceiling = Math.abs(contextValue - rounded) < 1e-9 ? rounded : Math.ceil(contextValue);
        return Math.max(Math.pow(2, ceiling) - 1, 1);
    }
}
