// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.AddedToken;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;

/**
 * What becomes of text in a message that the model would read as a role marker or another special token, and with which a user
 * could forge a turn. Encoding makes no such text out of another, so it is always literally there. And none can arise across the
 * border of two messages: between them the format writes marks of its own, and no mark goes on as another one begins.
 *
 * <p>Where a format encodes messages without looking for special tokens, as those of Llama 2 and Qwen 1 do, these are no
 * markers: they are text and go through unchanged. Llama 2's {@code [INST]} is text itself, in the format as in a message, and is one.
 */
public enum MarkerPolicy {
    /** A blank behind its first character takes the marker apart. */
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

    /**
     * What could forge a mark of a format: its own marks, and those that the tokenizer finds in messages. Tokens that are no marks, but
     * words, blanks or letters with an id of their own, could not.
     */
    static Set<String> markers(ChatTemplate template, List<AddedToken> added) {
        Set<String> markers = new HashSet<>(template.markers());
        if (template.readsAddedTokens()) {
            added.stream()
                    .filter(AddedToken::special)
                    .map(AddedToken::content)
                    .filter(content -> content.length() > 1 && !content.isBlank())
                    .forEach(markers::add);
        }
        return Set.copyOf(markers);
    }

    /** Those markers that neither thoughts nor calls of tools are written with. */
    static Set<String> withoutSpoken(Set<String> markers, ChatTemplate template) {
        Set<String> rest = new HashSet<>(markers);
        template.thinking().ifPresent(thoughts -> rest.removeAll(Set.of(thoughts.open(), thoughts.close())));
        template.tools().ifPresent(tools -> rest.removeAll(ToolFormat.MARKS));
        return Set.copyOf(rest);
    }

    /** @param markers of messages of each role */
    List<ChatMessage> apply(List<ChatMessage> messages, Function<Role, Set<String>> markers) {
        return this == ALLOW
                ? messages
                : messages.stream().map(m -> apply(m, markers.apply(m.role()))).toList();
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
            int first = Character.charCount(marker.codePointAt(0));
            content = content.replace(marker, marker.substring(0, first) + " " + marker.substring(first));
        }
        return new ChatMessage(message.role(), content);
    }
}
