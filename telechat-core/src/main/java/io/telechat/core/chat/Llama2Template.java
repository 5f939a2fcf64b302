// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.jinja.PythonText;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Llama 2's format: {@code <s>[INST] <<SYS>>\ns\n<</SYS>>\n\nq [/INST] a </s><s>[INST] q [/INST]}, where {@code <s>} and
 * {@code </s>} are ids, and each text between them is encoded as a whole and plainly, as by {@code chat_completion} in the makers'
 * generation.py. So {@code </s>} in a message is text and harmless; the other marks are text themselves, and a message that held
 * them could forge a turn, which is why the makers refuse it. Here {@link MarkerPolicy} decides.
 */
record Llama2Template() implements ChatTemplate {
    static final String START = "<s>";
    private static final String END = "</s>";
    private static final String OPEN = "[INST]";
    private static final String CLOSE = "[/INST]";
    private static final String SYSTEM_OPEN = "<<SYS>>";
    private static final String SYSTEM_CLOSE = "<</SYS>>";

    /** Whether a SentencePiece vocabulary begins as Llama's does. */
    static boolean isLlama(Tokenizer tokenizer) {
        return tokenizer.id("<0x00>").orElse(-1) == 3 && tokenizer.id(END).orElse(-1) == 2;
    }

    @Override
    public int[] render(Tokenizer tokenizer, List<ChatMessage> messages) {
        boolean hasSystem = !messages.isEmpty() && messages.getFirst().role() == Role.SYSTEM;
        List<ChatMessage> turns = hasSystem ? messages.subList(1, messages.size()) : messages;
        requireAlternating(turns);
        IntStream.Builder ids = IntStream.builder();
        for (int i = 0; i < turns.size(); i += 2) {
            String question = turns.get(i).content();
            if (i == 0 && hasSystem) {
                question = SYSTEM_OPEN + "\n" + messages.getFirst().content() + "\n" + SYSTEM_CLOSE + "\n\n" + question;
            }
            String text = OPEN + " " + PythonText.strip(question) + " " + CLOSE;
            ids.add(TokenTemplate.id(tokenizer, START));
            if (i + 1 < turns.size()) {
                String answer = PythonText.strip(turns.get(i + 1).content());
                add(ids, tokenizer.encodeOrdinary(text + " " + answer + " "));
                ids.add(TokenTemplate.id(tokenizer, END));
            } else {
                add(ids, tokenizer.encodeOrdinary(text));
            }
        }
        return ids.build().toArray();
    }

    private static void requireAlternating(List<ChatMessage> turns) {
        for (int i = 0; i < turns.size(); i++) {
            Role role = turns.get(i).role();
            if (role == Role.TOOL || role == Role.SYSTEM) {
                throw new InvalidRequestException("this model's chat format has no %s messages", role.lowerCase());
            }
            if (role != (i % 2 == 0 ? Role.USER : Role.ASSISTANT)) {
                throw new InvalidRequestException(
                        "in this model's chat format, messages of user and assistant take turns, and the user begins");
            }
        }
    }

    private static void add(IntStream.Builder ids, int[] more) {
        IntStream.of(more).forEach(ids);
    }

    /** As a history has it: a blank stands before the end. */
    @Override
    public int[] answer(Tokenizer tokenizer, String content) {
        IntStream.Builder ids = IntStream.builder();
        add(ids, tokenizer.encodeOrdinary(PythonText.strip(content) + " "));
        return ids.add(endId(tokenizer)).build().toArray();
    }

    @Override
    public int endId(Tokenizer tokenizer) {
        return TokenTemplate.id(tokenizer, END);
    }

    @Override
    public Set<String> markers() {
        return Set.of(OPEN, CLOSE, SYSTEM_OPEN, SYSTEM_CLOSE);
    }

    @Override
    public boolean readsAddedTokens() {
        return false;
    }

    @Override
    public Set<Integer> stopIds(Tokenizer tokenizer) {
        return Set.of(endId(tokenizer));
    }

    @Override
    public boolean hasSystem() {
        return true;
    }
}
