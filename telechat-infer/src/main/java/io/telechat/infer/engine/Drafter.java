// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

/**
 * Guesses the next tokens of a sequence, so that several can be checked in one pass (speculative decoding: Leviathan et al. 2023,
 * arXiv:2211.17192). What is drawn does not depend on the guesses: a token is drawn from the logits behind each, and the first that
 * differs from its guess makes the rest worthless. Used by one thread at a time.
 */
public interface Drafter extends AutoCloseable {
    /** Nothing is guessed. */
    Drafter NONE = (sequence, tokens, length, most) -> new int[0];

    /**
     * @param sequence whose tokens these are, by identity
     * @param tokens of it, of which {@code length} count
     * @param most guesses that are wanted
     * @return guesses, perhaps fewer, or none
     */
    int[] draft(Object sequence, int[] tokens, int length, int most);

    /** A sequence has ended. */
    default void forget(Object sequence) {
        // Most remember nothing.
    }

    @Override
    default void close() {
        // Most hold nothing.
    }
}
