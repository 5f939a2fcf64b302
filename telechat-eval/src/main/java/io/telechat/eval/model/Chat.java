// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import io.telechat.core.chat.ChatMessage;
import java.util.List;

/** Answers conversations in the chat format of a model. Thread-safe. */
public interface Chat extends AutoCloseable {
    /** As results name it. */
    String name();

    /** How many conversations it should have before it at a time. */
    int parallel();

    /**
     * Waits for the answer.
     *
     * @param conversation ends with a message of the user
     * @return without thoughts in front
     * @throws UnanswerableException if this one cannot be answered
     * @throws io.telechat.core.TelechatException if nothing can
     */
    String answer(List<ChatMessage> conversation, ChatSettings how);

    @Override
    void close();
}
