// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.generation;

import java.util.Optional;

/**
 * One step of a stream.
 *
 * @param id the token
 * @param text what it adds to the answer; empty while it may be part of a character or of a stop string
 * @param thinking what it adds to the thoughts; empty likewise, and in the answer
 * @param logprob if asked for
 * @param isRest whether this is what was held back of the text up to its end, and no further token
 */
public record TokenEvent(
        int id, String text, String thinking, Optional<Generation.TokenLogprob> logprob, boolean isRest) {}
