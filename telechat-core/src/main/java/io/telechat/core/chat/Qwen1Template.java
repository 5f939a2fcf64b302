// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Qwen 1's ChatML: {@code <|im_start|>role\ntext<|im_end|>\n} for each message, then {@code <|im_start|>assistant\n}. Marks are ids;
 * role, newline and text are encoded apart and plainly ({@code make_context} in the makers' qwen_generation_utils.py), so that no
 * message can forge a mark. A history that does not fit is left to the caller, not cut at {@code max_window_size}.
 */
record Qwen1Template() implements ChatTemplate {
    static final String START = "<|im_start|>";
    private static final String END = "<|im_end|>";
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final ChatMessage DEFAULT_SYSTEM = ChatMessage.system("You are a helpful assistant.");

    @Override
    public int[] render(Tokenizer tokenizer, List<ChatMessage> messages) {
        IntStream.Builder ids = IntStream.builder();
        if (messages.isEmpty() || messages.getFirst().role() != Role.SYSTEM) {
            add(ids, tokenizer, DEFAULT_SYSTEM);
        }
        messages.forEach(message -> add(ids, tokenizer, message));
        addHead(ids, tokenizer, Role.ASSISTANT);
        return ids.build().toArray();
    }

    private static void add(IntStream.Builder ids, Tokenizer tokenizer, ChatMessage message) {
        addHead(ids, tokenizer, message.role());
        addText(ids, tokenizer, message.content());
        ids.add(TokenTemplate.id(tokenizer, END));
        addText(ids, tokenizer, "\n");
    }

    private static void addHead(IntStream.Builder ids, Tokenizer tokenizer, Role role) {
        if (role == Role.TOOL) {
            throw new InvalidRequestException("this model's chat format has no %s messages", role.lowerCase());
        }
        ids.add(TokenTemplate.id(tokenizer, START));
        addText(ids, tokenizer, role.lowerCase());
        addText(ids, tokenizer, "\n");
    }

    private static void addText(IntStream.Builder ids, Tokenizer tokenizer, String text) {
        IntStream.of(tokenizer.encodeOrdinary(text)).forEach(ids);
    }

    @Override
    public int[] answer(Tokenizer tokenizer, String content) {
        IntStream.Builder ids = IntStream.builder();
        addText(ids, tokenizer, content);
        return ids.add(endId(tokenizer)).build().toArray();
    }

    @Override
    public int endId(Tokenizer tokenizer) {
        return TokenTemplate.id(tokenizer, END);
    }

    @Override
    public int documentEndId(Tokenizer tokenizer) {
        return TokenTemplate.id(tokenizer, END_OF_TEXT);
    }

    @Override
    public Set<String> markers() {
        return Set.of();
    }

    @Override
    public boolean readsAddedTokens() {
        return false;
    }

    @Override
    public Set<Integer> stopIds(Tokenizer tokenizer) {
        return Set.of(TokenTemplate.id(tokenizer, END), TokenTemplate.id(tokenizer, START), documentEndId(tokenizer));
    }

    @Override
    public boolean hasSystem() {
        return true;
    }
}
