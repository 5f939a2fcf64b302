// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The format of the 7B, 12B and of TeleChat2-115B without a system message: marks are ids, and every message is encoded on
 * its own (generation_utils.py): {@code user q bot a end user q bot}.
 *
 * @param beginsWithStart whether the begin-of-sequence id comes first (115B)
 * @param marksInText whether the tokenizer finds the marks in text
 */
record TokenTemplate(boolean beginsWithStart, boolean marksInText) implements ChatTemplate {
    static final String START = "<_start>";
    static final String USER = "<_user>";
    static final String BOT = "<_bot>";
    static final String SYSTEM = "<_system>";
    static final String END = "<_end>";

    @Override
    public int[] render(Tokenizer tokenizer, List<ChatMessage> messages) {
        IntStream.Builder ids = IntStream.builder();
        if (beginsWithStart) {
            ids.add(id(tokenizer, START));
        }
        for (ChatMessage message : messages) {
            switch (message.role()) {
                case USER -> {
                    ids.add(id(tokenizer, USER));
                    IntStream.of(tokenizer.encode(message.content())).forEach(ids);
                }
                case ASSISTANT -> {
                    ids.add(id(tokenizer, BOT));
                    IntStream.of(tokenizer.encode(message.content())).forEach(ids);
                    ids.add(id(tokenizer, END));
                }
                case SYSTEM, TOOL ->
                    throw new InvalidRequestException(
                            "this model's chat format has no %s messages",
                            message.role().lowerCase());
            }
        }
        return ids.add(id(tokenizer, BOT)).build().toArray();
    }

    static int id(Tokenizer tokenizer, String mark) {
        return tokenizer.id(mark).orElseThrow(() -> new InvalidRequestException("the tokenizer has no piece %s", mark));
    }

    @Override
    public int endId(Tokenizer tokenizer) {
        return id(tokenizer, END);
    }

    @Override
    public Set<String> markers() {
        return marksInText ? Set.of(USER, BOT, SYSTEM, END) : Set.of(END);
    }

    @Override
    public Set<Integer> stopIds(Tokenizer tokenizer) {
        return Set.of(id(tokenizer, END), id(tokenizer, USER));
    }

    @Override
    public boolean hasSystem() {
        return false;
    }
}
