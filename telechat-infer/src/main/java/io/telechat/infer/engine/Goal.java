// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

/** What is wanted of a prompt. */
public sealed interface Goal {
    /** An answer. */
    record Generate() implements Goal {}

    /** The hidden state of the last token behind the final norm, scaled to length 1, and no answer. */
    record Embed() implements Goal {}

    /**
     * Log-probabilities, and no answer. A row is what the model says behind a token, so the last row is of the token that would
     * follow the prompt.
     *
     * @param wanted ids whose log-probabilities are wanted, for each of the prompt's last rows; may be none of a row
     */
    record Score(int[][] wanted) implements Goal {}
}
