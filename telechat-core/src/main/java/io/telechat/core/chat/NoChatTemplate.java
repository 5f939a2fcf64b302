// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Of a checkpoint that does not say how to chat, as base models don't: text can be completed and trained, conversations are refused.
 *
 * @param why there is no format
 * @param endOfSequence what the tokenizer's files call so
 */
record NoChatTemplate(Message why, Optional<String> endOfSequence) implements ChatTemplate {
    @Override
    public int[] render(Tokenizer tokenizer, List<ChatMessage> messages) {
        throw new InvalidRequestException(
                "this checkpoint cannot chat: %s; let it complete text (telechat generate, /v1/completions), or put the"
                        + " chat_template.jinja of the format that it was trained with beside its tokenizer",
                why);
    }

    @Override
    public Optional<Message> whyNone() {
        return Optional.of(why);
    }

    @Override
    public int endId(Tokenizer tokenizer) {
        return endOfSequence
                .map(mark -> TokenTemplate.id(tokenizer, mark))
                .orElseThrow(() -> new InvalidRequestException("the tokenizer's files name no eos_token"));
    }

    @Override
    public Set<String> markers() {
        return Set.of();
    }

    @Override
    public Set<Integer> stopIds(Tokenizer tokenizer) {
        return endOfSequence.isPresent() ? Set.of(endId(tokenizer)) : Set.of();
    }

    @Override
    public boolean hasSystem() {
        return true;
    }
}
