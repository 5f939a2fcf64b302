// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.Locale;

/** Whose prompts, extraction and scores a task has. */
public enum Style {
    /** EleutherAI's lm-evaluation-harness, 0.4.13. */
    LM_EVAL,
    /** OpenCompass, with the generative configurations that TeleChat's own scores fit. */
    OPENCOMPASS;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
