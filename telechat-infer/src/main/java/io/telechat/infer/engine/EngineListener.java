// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import java.util.List;

/**
 * Hears of the sequences of one {@link Engine#submit}, which are told apart by their place in it. Called on the engine's thread: it
 * must hand on what it hears and return at once, for nobody gets a token meanwhile.
 */
public interface EngineListener {
    /** The log-probabilities of the prompt, if they were asked for; before the first token. */
    default void promptLogprobs(int index, List<Generation.TokenLogprob> logprobs) {
        // Nobody has asked.
    }

    /** A token, or what was held back of the text at the end. */
    void token(int index, TokenEvent event);

    /** The embedding that was asked for, [hidden]; its length is 1. */
    default void embedded(int index, float[] vector) {
        // Nobody has asked.
    }

    /** The scores that were asked for, of the prompt's last rows, in their order. */
    default void scored(int index, List<RowScore> rows) {
        // Nobody has asked.
    }

    /** A sequence has ended; nothing more comes of it. */
    void finished(int index, Generation generation);

    /** A sequence has failed; nothing more comes of it. */
    void failed(int index, RuntimeException failure);
}
