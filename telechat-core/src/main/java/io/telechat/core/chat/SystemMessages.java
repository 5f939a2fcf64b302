// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What becomes of a system message that the chat format has no place for: any where it has no such role, and those in the
 * middle of a dialog everywhere.
 */
public enum SystemMessages {
    /** Its text goes in front of the user message that follows it (if none does, of the last one), a blank line between. */
    FOLD,
    /** It contributes nothing, as in the builders of the reference's 12B and 115B. */
    IGNORE,
    /** The request is refused. */
    REJECT;

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @param hasSystem whether the format has a place for a system message at the beginning
     * @return the same list if nothing is to be done
     */
    List<ChatMessage> apply(List<ChatMessage> messages, boolean hasSystem) {
        int first = hasSystem && !messages.isEmpty() && messages.getFirst().role() == Role.SYSTEM ? 1 : 0;
        if (messages.stream().skip(first).noneMatch(m -> m.role() == Role.SYSTEM)) {
            return messages;
        }
        if (this == REJECT) {
            throw new InvalidRequestException(
                    "this model's chat format has no place for %s; --system-messages fold puts it in front of the"
                            + " question",
                    hasSystem
                            ? Message.of("a system message in the middle of a dialog")
                            : Message.of("a system message"));
        }
        List<ChatMessage> kept = new ArrayList<>(messages.subList(0, first));
        StringBuilder waiting = new StringBuilder();
        for (ChatMessage message : messages.subList(first, messages.size())) {
            if (message.role() == Role.SYSTEM) {
                waiting.append(waiting.isEmpty() ? "" : "\n\n").append(message.content());
            } else if (message.role() == Role.USER && !waiting.isEmpty()) {
                kept.add(this == FOLD ? inFront(waiting, message) : message);
                waiting.setLength(0);
            } else {
                kept.add(message);
            }
        }
        if (this == FOLD && !waiting.isEmpty()) {
            for (int i = kept.size() - 1; i >= 0; i--) {
                if (kept.get(i).role() == Role.USER) {
                    kept.set(i, inFront(waiting, kept.get(i)));
                    break;
                }
            }
        }
        return kept;
    }

    private static ChatMessage inFront(CharSequence text, ChatMessage message) {
        return ChatMessage.user(text + "\n\n" + message.content());
    }
}
