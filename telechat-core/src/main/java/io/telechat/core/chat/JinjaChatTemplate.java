// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.AddedToken;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The format that the template beside a tokenizer renders. The text is encoded as a whole, its marks being added tokens; which of them
 * ends an answer, whether there are system messages, thoughts and tools, is found out by rendering samples.
 */
final class JinjaChatTemplate implements ChatTemplate {
    private static final ChatMessage QUESTION = ChatMessage.user("the-question");
    private static final ChatMessage ANSWER = ChatMessage.assistant("the-answer");
    private static final ChatMessage SYSTEM = ChatMessage.system("the-system");

    private final JinjaRendering rendering;
    private final Optional<String> endMark;
    private final Optional<String> endOfSequence;
    private final boolean hasSystem;
    private final Optional<ThinkingFormat> thinking;
    private final String samplePrompt;
    private final String beforeAnswer;
    private final Optional<ToolFormat> tools;

    /**
     * @param added tokens that the tokenizer finds in text
     * @param endOfSequence what the tokenizer's files call so
     * @throws InvalidRequestException if the template has no text for a question
     */
    JinjaChatTemplate(JinjaRendering rendering, List<AddedToken> added, Optional<String> endOfSequence) {
        this.rendering = rendering;
        this.endOfSequence = endOfSequence;
        this.samplePrompt = rendering.prompt(List.of(QUESTION));
        String dialog = finished(List.of(QUESTION, ANSWER, QUESTION)).orElse("");
        this.endMark = markBehind(dialog, added).or(() -> endOfSequence);
        this.hasSystem = finished(List.of(SYSTEM, QUESTION))
                .filter(text -> text.contains(SYSTEM.content()))
                .isPresent();
        this.thinking = thinking(rendering, samplePrompt);
        this.beforeAnswer = finished(List.of(QUESTION, ANSWER))
                .filter(text -> text.startsWith(samplePrompt) && text.contains(ANSWER.content()))
                .map(text -> text.substring(samplePrompt.length(), text.indexOf(ANSWER.content())))
                .orElse("");
        this.tools = JinjaTools.of(rendering);
    }

    /** Empty where the template refuses the messages. */
    private Optional<String> finished(List<ChatMessage> messages) {
        try {
            return Optional.of(rendering.finished(messages));
        } catch (InvalidRequestException e) {
            return Optional.empty();
        }
    }

    /** The mark right behind the answer of a dialog. */
    private static Optional<String> markBehind(String dialog, List<AddedToken> added) {
        int answer = dialog.indexOf(ANSWER.content());
        if (answer < 0) {
            return Optional.empty();
        }
        String behind = dialog.substring(answer + ANSWER.content().length()).stripLeading();
        return added.stream()
                .map(AddedToken::content)
                .filter(behind::startsWith)
                .max(Comparator.comparingInt(String::length));
    }

    private static Optional<ThinkingFormat> thinking(JinjaRendering rendering, String prompt) {
        String end = prompt.strip();
        if (end.endsWith(Thoughts.OPEN)) {
            return Optional.of(Thoughts.BEGUN);
        }
        boolean closed = end.endsWith(Thoughts.CLOSE);
        return rendering.mentions(Thoughts.CLOSE) && !closed
                ? Optional.of(new ThinkingFormat(Thoughts.OPEN, Thoughts.CLOSE, false))
                : Optional.empty();
    }

    @Override
    public int[] render(Tokenizer tokenizer, List<ChatMessage> messages) {
        return tokenizer.encode(rendering.prompt(messages));
    }

    /** Encoded behind a sample prompt, as the template goes on between a prompt and its answer. */
    @Override
    public int[] answer(Tokenizer tokenizer, String content) {
        boolean begun = thinking.isPresent() && thinking.get().begun();
        if (begun) {
            String newline = samplePrompt.substring(samplePrompt.lastIndexOf(Thoughts.OPEN) + Thoughts.OPEN.length());
            return Thoughts.answer(tokenizer, content, newline, endId(tokenizer));
        }
        boolean thinks = content.startsWith(Thoughts.OPEN);
        int[] prompt = tokenizer.encode(samplePrompt);
        int[] whole = tokenizer.encode(samplePrompt + (thinks ? "" : beforeAnswer) + content);
        boolean goesOn = Arrays.mismatch(prompt, whole) == prompt.length;
        int[] text = goesOn ? Arrays.copyOfRange(whole, prompt.length, whole.length) : tokenizer.encode(content);
        int[] ids = Arrays.copyOf(text, text.length + 1);
        ids[text.length] = endId(tokenizer);
        return ids;
    }

    @Override
    public int endId(Tokenizer tokenizer) {
        return id(tokenizer, endMark)
                .orElseThrow(() -> new InvalidRequestException(
                        "the model's chat template does not say what ends an answer, nor does the tokenizer"));
    }

    @Override
    public int documentEndId(Tokenizer tokenizer) {
        return id(tokenizer, endOfSequence).orElseGet(() -> endId(tokenizer));
    }

    private static OptionalInt id(Tokenizer tokenizer, Optional<String> mark) {
        return mark.isPresent() ? tokenizer.id(mark.get()) : OptionalInt.empty();
    }

    /** All are added tokens, which {@link ChatTokenizer} knows. */
    @Override
    public Set<String> markers() {
        return Set.of();
    }

    @Override
    public Set<Integer> stopIds(Tokenizer tokenizer) {
        Set<Integer> ids = new HashSet<>();
        id(tokenizer, endMark).ifPresent(ids::add);
        id(tokenizer, endOfSequence).ifPresent(ids::add);
        return ids;
    }

    @Override
    public boolean hasSystem() {
        return hasSystem;
    }

    @Override
    public Optional<ThinkingFormat> thinking() {
        return thinking;
    }

    @Override
    public Optional<ToolFormat> tools() {
        return tools;
    }
}
