// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How tokens are guessed, so that several are checked in one pass. What comes is the same bits, sooner or later.
 *
 * @param draftModel directory of a smaller model of the same vocabulary that guesses; empty: what followed the latest tokens before
 * @param tokens guessed for one step at most
 */
public record Speculation(Optional<Path> draftModel, int tokens) {
    private static final int MOST = 15;

    public Speculation {
        if (tokens < 1 || tokens > MOST) {
            throw new InvalidRequestException("guessed tokens are %d, must be from 1 to %d", tokens, MOST);
        }
    }

    /** From what the prompt, or the answer so far, says. */
    public static Speculation ngram(int tokens) {
        return new Speculation(Optional.empty(), tokens);
    }

    public static Speculation model(Path directory, int tokens) {
        return new Speculation(Optional.of(directory), tokens);
    }
}
