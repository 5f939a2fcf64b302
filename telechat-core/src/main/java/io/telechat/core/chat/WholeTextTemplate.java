// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Set;

/**
 * The 52B's format: {@code <_user>q<_bot>a<_end><_user>q<_bot>} encoded as one string, in which the marks are ordinary text
 * ({@code chat} in modeling_telechat.py).
 */
final class WholeTextTemplate implements ChatTemplate {
    private static final String USER = "<_user>";
    private static final String BOT = "<_bot>";
    private static final String END = "<_end>";
    private static final String END_OF_SEQUENCE = "</s>";

    @Override
    public int[] render(Tokenizer tokenizer, List<ChatMessage> messages) {
        StringBuilder text = new StringBuilder();
        for (ChatMessage message : messages) {
            switch (message.role()) {
                case USER -> text.append(USER).append(message.content()).append(BOT);
                case ASSISTANT -> text.append(message.content()).append(END);
                case SYSTEM, TOOL ->
                    throw new InvalidRequestException(
                            "the TeleChat-52B chat format has no %s messages",
                            message.role().lowerCase());
            }
        }
        return tokenizer.encode(text.toString());
    }

    @Override
    public int endId(Tokenizer tokenizer) {
        return TokenTemplate.id(tokenizer, END_OF_SEQUENCE);
    }

    @Override
    public Set<String> markers() {
        return Set.of(USER, BOT, END);
    }

    @Override
    public Set<Integer> stopIds(Tokenizer tokenizer) {
        return Set.of();
    }

    /** The model was trained to write {@code </s><_end>}; should it ever leave out the first, the marks end the answer. */
    @Override
    public List<String> stopStrings() {
        return List.of(END, USER);
    }

    @Override
    public boolean hasSystem() {
        return false;
    }
}
