// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The published chat format of a tokenizer. */
public interface ChatTemplate {
    /**
     * The ids that the model is given for the next answer.
     *
     * @param messages the conversation so far; the last one is the user's or a tool's
     * @throws io.telechat.core.InvalidRequestException if the format has no such message
     */
    int[] render(Tokenizer tokenizer, List<ChatMessage> messages);

    /** The id that ends an answer, or a document, in training. */
    int endId(Tokenizer tokenizer);

    /** Text that the tokenizer would read as a mark of this format if it stood in a message. */
    Set<String> markers();

    /** Ids that end an answer, besides the model's end-of-sequence id. */
    Set<Integer> stopIds(Tokenizer tokenizer);

    /** Text that ends an answer where the format's marks are ordinary text. */
    List<String> stopStrings();

    /** Whether a conversation may begin with a system message. */
    boolean hasSystem();

    /** How answers begin with thoughts; empty where the model is not made to think aloud. */
    default Optional<ThinkingFormat> thinking() {
        return Optional.empty();
    }
}
