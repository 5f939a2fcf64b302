// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import java.util.Locale;

/** What becomes of a conversation that no longer fits the context. */
public enum OverflowPolicy {
    /** {@link io.telechat.infer.generation.ContextOverflowException} with the counts. */
    ERROR,
    /**
     * The prompt leaves out the oldest questions, each with its answer, until the rest fits; a system message stays. The
     * conversation itself keeps them.
     */
    DROP_OLDEST_TURNS;

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
