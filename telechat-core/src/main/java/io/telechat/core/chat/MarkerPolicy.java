// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What becomes of text in a message that the tokenizer would read as a role marker or another special token, and with
 * which a user could forge a turn. Encoding loses nothing, so such text is always literally there; and as every mark begins
 * with {@code <} and ends with {@code >} and has neither within, none can arise across the border of two messages.
 */
public enum MarkerPolicy {
    /** A blank behind the {@code <} takes the marker apart. */
    ESCAPE,
    /** The request is refused. */
    REJECT,
    /** The text goes through as it is. */
    ALLOW;

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    List<ChatMessage> apply(List<ChatMessage> messages, Set<String> markers) {
        return this == ALLOW
                ? messages
                : messages.stream().map(m -> apply(m, markers)).toList();
    }

    private ChatMessage apply(ChatMessage message, Set<String> markers) {
        String content = message.content();
        for (String marker : markers) {
            if (!content.contains(marker)) {
                continue;
            }
            if (this == REJECT) {
                throw new InvalidRequestException(
                        "the %s message contains the role marker %s; remove it, or choose --markers escape",
                        message.role().lowerCase(), marker);
            }
            content = content.replace(marker, marker.charAt(0) + " " + marker.substring(1));
        }
        return new ChatMessage(message.role(), content);
    }
}
