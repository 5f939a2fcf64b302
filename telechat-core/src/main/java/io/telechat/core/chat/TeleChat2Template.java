// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * TeleChat2's format with system messages and tools: {@code <_system>s\n<_user>q<_bot>a<_end>\n<_user>q<_bot>}, marks as
 * ids, each text between them encoded on its own. Without a system message, either the model's default one is put in
 * (3B, 7B, 35B) or the format of the 115B's builder is used.
 *
 * <p>T1 is the same with thoughts: the prompt ends with {@code <think>\n}, and of earlier answers it has what follows the thoughts.
 *
 * @param plain the format without a system message; empty where the default one is put in instead
 * @param thinks whether it is T1's
 */
record TeleChat2Template(Optional<TokenTemplate> plain, boolean thinks) implements ChatTemplate {
    static final String DEFAULT_SYSTEM = "你是中国电信星辰语义大模型，英文名是TeleChat，你是由中电信人工智能科技有限公司和中国电信人工智能研究院（TeleAI）研发的人工智能助手。";

    @Override
    public int[] render(Tokenizer tokenizer, List<ChatMessage> messages) {
        boolean hasSystem = !messages.isEmpty() && messages.getFirst().role() == Role.SYSTEM;
        boolean hasTools = messages.stream().anyMatch(m -> m.role() == Role.TOOL);
        if (!hasSystem && !hasTools && !thinks && plain.isPresent()) {
            return plain.get().render(tokenizer, messages);
        }
        IntStream.Builder ids = IntStream.builder();
        ids.add(TokenTemplate.id(tokenizer, TokenTemplate.SYSTEM));
        add(ids, tokenizer, (hasSystem ? messages.getFirst().content() : DEFAULT_SYSTEM) + "\n");
        StringBuilder toolResults = new StringBuilder();
        for (ChatMessage message : hasSystem ? messages.subList(1, messages.size()) : messages) {
            if (message.role() != Role.TOOL) {
                addToolResults(ids, tokenizer, toolResults);
            }
            switch (message.role()) {
                case USER -> {
                    ids.add(TokenTemplate.id(tokenizer, TokenTemplate.USER));
                    add(ids, tokenizer, message.content());
                }
                case ASSISTANT -> {
                    ids.add(TokenTemplate.id(tokenizer, TokenTemplate.BOT));
                    add(ids, tokenizer, thinks ? Thoughts.dropped(message.content()) : message.content());
                    ids.add(TokenTemplate.id(tokenizer, TokenTemplate.END));
                    add(ids, tokenizer, "\n");
                }
                case TOOL ->
                    toolResults
                            .append(toolResults.isEmpty() ? "" : "\n")
                            .append("<tool_response>\n")
                            .append(message.content())
                            .append("\n</tool_response>");
                case SYSTEM -> throw new InvalidRequestException("only the first message may be a system message");
            }
        }
        addToolResults(ids, tokenizer, toolResults);
        ids.add(TokenTemplate.id(tokenizer, TokenTemplate.BOT));
        add(ids, tokenizer, thinks ? Thoughts.OPEN + "\n" : "");
        return ids.build().toArray();
    }

    /** Results of one round of calls make up one user turn. */
    private static void addToolResults(IntStream.Builder ids, Tokenizer tokenizer, StringBuilder results) {
        if (!results.isEmpty()) {
            ids.add(TokenTemplate.id(tokenizer, TokenTemplate.USER));
            add(ids, tokenizer, results.toString());
            results.setLength(0);
        }
    }

    private static void add(IntStream.Builder ids, Tokenizer tokenizer, String text) {
        IntStream.of(tokenizer.encode(text)).forEach(ids);
    }

    @Override
    public int[] answer(Tokenizer tokenizer, String content) {
        return thinks
                ? Thoughts.answer(tokenizer, content, "\n", endId(tokenizer))
                : ChatTemplate.super.answer(tokenizer, content);
    }

    @Override
    public int endId(Tokenizer tokenizer) {
        return TokenTemplate.id(tokenizer, TokenTemplate.END);
    }

    @Override
    public Set<String> markers() {
        return Set.of(TokenTemplate.END);
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
        return thinks ? Optional.of(Thoughts.BEGUN) : Optional.empty();
    }

    @Override
    public Optional<ToolFormat> tools() {
        return Optional.of(new TeleChat2Tools(DEFAULT_SYSTEM));
    }
}
