// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.generation;

import io.telechat.core.InvalidRequestException;
import io.telechat.infer.thinking.ThoughtMarks;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The thoughts in front of an answer.
 *
 * @param marks that they stand between; empty where all is answer
 * @param maxTokens how long they may be; empty for no bound
 */
public record ThinkingOptions(Optional<ThoughtMarks> marks, OptionalInt maxTokens) {
    /** All is answer. */
    public static final ThinkingOptions NONE = new ThinkingOptions(Optional.empty(), OptionalInt.empty());

    public ThinkingOptions {
        if (maxTokens.isPresent() && maxTokens.getAsInt() < 0) {
            throw new InvalidRequestException("max thinking tokens is %d, must be 0 or more", maxTokens.getAsInt());
        }
    }
}
