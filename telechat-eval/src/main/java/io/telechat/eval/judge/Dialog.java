// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A conversation to be answered. What the user says is answered by the model in turn, unless an answer stands there already.
 *
 * @param id that no other dialog has
 * @param dimension such as {@code mathematics}
 * @param language such as {@code zh}
 * @param messages perhaps a system message, then turns; ends with the user's
 * @param reference an ideal answer, which only the judge sees
 * @param criteria instead of those of the dimension
 */
public record Dialog(
        String id,
        String dimension,
        String language,
        List<ChatMessage> messages,
        Optional<String> reference,
        Optional<String> criteria) {
    public Dialog {
        messages = List.copyOf(messages);
    }

    /** Whether the message at this place is one that the model has to answer. */
    boolean isOpen(int index) {
        return messages.get(index).role() == Role.USER
                && (index + 1 == messages.size() || messages.get(index + 1).role() == Role.USER);
    }

    /** How many answers there are to be. */
    int answers() {
        int open = 0;
        for (int i = 0; i < messages.size(); i++) {
            open += isOpen(i) ? 1 : 0;
        }
        return open;
    }

    /**
     * What the model is asked for its next answer.
     *
     * @param given its answers so far, fewer than {@link #answers}
     */
    List<ChatMessage> asked(List<String> given) {
        List<ChatMessage> conversation = new ArrayList<>();
        int answered = 0;
        for (int i = 0; i < messages.size(); i++) {
            conversation.add(messages.get(i));
            if (isOpen(i)) {
                if (answered == given.size()) {
                    break;
                }
                conversation.add(ChatMessage.assistant(given.get(answered++)));
            }
        }
        return conversation;
    }

    /** As files have it. */
    public ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", id).put("dimension", dimension).put("language", language);
        ArrayNode turns = json.putArray("messages");
        messages.forEach(message ->
                turns.addObject().put("role", message.role().lowerCase()).put("content", message.content()));
        reference.ifPresent(text -> json.put("reference", text));
        criteria.ifPresent(text -> json.put("criteria", text));
        return json;
    }
}
