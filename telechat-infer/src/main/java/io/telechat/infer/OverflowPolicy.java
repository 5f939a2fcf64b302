// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

/** What becomes of a conversation that no longer fits the context. */
public enum OverflowPolicy {
    /** {@link io.telechat.infer.ContextOverflowException} with the counts. */
    ERROR,
    /** The oldest questions go, each with its answer, until the rest fits; a system message stays. */
    DROP_OLDEST_TURNS
}
