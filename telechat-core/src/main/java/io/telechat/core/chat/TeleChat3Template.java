// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * TeleChat3's format: {@code <_system>s\n<_user>q<_bot>a<_end>\n<_user>q<_bot><think>\n} encoded as one string, in which the tokenizer
 * finds the marks. The model thinks before each answer; of earlier answers, it is told what follows the thoughts.
 *
 * @param coder whether it is TeleChat3-Coder's variant: no newlines between the parts, and {@code </think>} in front of earlier
 *     answers
 */
record TeleChat3Template(boolean coder) implements ChatTemplate {
    @Override
    public int[] render(Tokenizer tokenizer, List<ChatMessage> messages) {
        StringBuilder text = new StringBuilder(TokenTemplate.SYSTEM);
        boolean hasSystem = !messages.isEmpty() && messages.getFirst().role() == Role.SYSTEM;
        if (hasSystem) {
            text.append(messages.getFirst().content()).append(newline());
        }
        Role before = Role.SYSTEM;
        for (ChatMessage message : hasSystem ? messages.subList(1, messages.size()) : messages) {
            switch (message.role()) {
                case USER -> text.append(TokenTemplate.USER).append(message.content());
                case ASSISTANT ->
                    text.append(TokenTemplate.BOT)
                            .append(coder ? Thoughts.CLOSE : "")
                            .append(Thoughts.dropped(message.content()))
                            .append(TokenTemplate.END)
                            .append(newline());
                case TOOL -> addToolResult(text, message.content(), before == Role.TOOL);
                case SYSTEM -> throw new InvalidRequestException("only the first message may be a system message");
            }
            before = message.role();
        }
        text.append(TokenTemplate.BOT).append(Thoughts.OPEN).append(newline());
        return tokenizer.encode(text.toString());
    }

    private String newline() {
        return coder ? "" : "\n";
    }

    /** Results of one round of calls make up one user turn. */
    private void addToolResult(StringBuilder text, String result, boolean goesOn) {
        if (coder) {
            throw new InvalidRequestException("this model's chat format has no %s messages", Role.TOOL.lowerCase());
        }
        text.append(goesOn ? "\n" : TokenTemplate.USER)
                .append("<tool_response>\n")
                .append(result)
                .append("\n</tool_response>");
    }

    /** The prompt has begun the thoughts, so that an answer goes on with them; one that has none closes them at once. */
    @Override
    public int[] answer(Tokenizer tokenizer, String content) {
        return Thoughts.answer(tokenizer, content, newline(), endId(tokenizer));
    }

    @Override
    public int endId(Tokenizer tokenizer) {
        return TokenTemplate.id(tokenizer, TokenTemplate.END);
    }

    @Override
    public Set<String> markers() {
        return Set.of(
                TokenTemplate.START, TokenTemplate.END, TokenTemplate.USER, TokenTemplate.BOT, TokenTemplate.SYSTEM);
    }

    @Override
    public Set<Integer> stopIds(Tokenizer tokenizer) {
        return Set.of(TokenTemplate.id(tokenizer, TokenTemplate.END), TokenTemplate.id(tokenizer, TokenTemplate.USER));
    }

    @Override
    public boolean hasSystem() {
        return true;
    }

    @Override
    public Optional<ThinkingFormat> thinking() {
        return Optional.of(Thoughts.BEGUN);
    }

    @Override
    public Optional<ToolFormat> tools() {
        return coder ? Optional.empty() : Optional.of(new TeleChat2Tools(""));
    }
}
