// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

/** What is cut among the ranks, each with all that is before it. */
public enum ZeroStage {
    NOTHING,
    OPTIMIZER,
    GRADIENTS,
    PARAMETERS;

    /** @param stage from 0 to 3 */
    public static ZeroStage of(int stage) {
        return values()[stage];
    }

    public boolean cuts(ZeroStage what) {
        return compareTo(what) >= 0;
    }
}
