// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.chat.ChatMessage;
import java.util.List;

/** What one line of a data file says. */
public sealed interface Dialog {
    /**
     * Something to answer: a conversation whose last message is the assistant's.
     *
     * @param messages an optional system message, then the user's (or tools') and the assistant's
     */
    record Conversation(List<ChatMessage> messages) implements Dialog {
        public Conversation {
            messages = List.copyOf(messages);
        }
    }

    /** Plain text to go on learning the language from; every token of it is trained. */
    record Text(String text) implements Dialog {}
}
