// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.generation;

import java.util.Locale;

/** Why an answer ended. */
public enum FinishReason {
    /** A stop token or stop string came. */
    STOP,
    /** The answer or the context is full. */
    LENGTH,
    /** The caller stopped it. */
    CANCELLED;

    public String lowerCase() {
        return name().toLowerCase(Locale.ROOT);
    }
}
