// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.Message;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.Arrays;
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

    /**
     * The ids that a model is trained to say behind {@link #render}'s: a whole answer, and what ends it.
     *
     * @param content the answer, with its thoughts if it has any
     */
    default int[] answer(Tokenizer tokenizer, String content) {
        int[] text = tokenizer.encode(content);
        int[] ids = Arrays.copyOf(text, text.length + 1);
        ids[text.length] = endId(tokenizer);
        return ids;
    }

    /** The id that ends an answer in training. */
    int endId(Tokenizer tokenizer);

    /** The id that ends a document in training. */
    default int documentEndId(Tokenizer tokenizer) {
        return endId(tokenizer);
    }

    /** Text that the model would read as a mark of this format if it stood in a message. */
    Set<String> markers();

    /** Whether messages are encoded so that the tokenizer's added tokens are found in them, and could forge a mark. */
    default boolean readsAddedTokens() {
        return true;
    }

    /** Ids that end an answer, besides the model's end-of-sequence id. */
    Set<Integer> stopIds(Tokenizer tokenizer);

    /** Text that ends an answer where the format's marks are ordinary text. */
    default List<String> stopStrings() {
        return List.of();
    }

    /** Whether a conversation may begin with a system message. */
    boolean hasSystem();

    /** Why there is no format, so that every conversation is refused; empty where there is one. */
    default Optional<Message> whyNone() {
        return Optional.empty();
    }

    /** How answers begin with thoughts; empty where the model is not made to think aloud. */
    default Optional<ThinkingFormat> thinking() {
        return Optional.empty();
    }

    /** How tools are offered and called; empty where the format has none. */
    default Optional<ToolFormat> tools() {
        return Optional.empty();
    }
}
