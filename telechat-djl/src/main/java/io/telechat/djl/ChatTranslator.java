// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.ndarray.NDList;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.infer.ChatModel;
import io.telechat.infer.GenerationOverrides;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.generation.TokenListener;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Turns what is asked into a chat, and what comes of that into what is wanted. Without state, so that predictors may share it.
 *
 * @param <R> what the model makes of a chat
 */
final class ChatTranslator<I, R, O> implements NoBatchifyTranslator<I, O> {
    private final Function<I, ChatInput> chat;
    private final BiFunction<ChatModel, ChatInput, R> run;
    private final Function<R, O> wanted;

    private ChatTranslator(
            Function<I, ChatInput> chat, BiFunction<ChatModel, ChatInput, R> run, Function<R, O> wanted) {
        this.chat = chat;
        this.run = run;
        this.wanted = wanted;
    }

    static ChatTranslator<ChatInput, Generation, ChatOutput> whole() {
        return new ChatTranslator<>(
                input -> input, ChatTranslator::generate, answer -> new ChatOutput(answer.text(), answer));
    }

    static ChatTranslator<String, Generation, String> text() {
        return new ChatTranslator<>(ChatInput::text, ChatTranslator::generate, Generation::text);
    }

    static ChatTranslator<ChatInput, Stream<TokenEvent>, ChatStream> stream() {
        return new ChatTranslator<>(
                input -> input,
                (model, input) -> model.stream(prompt(model, input), options(model, input)),
                events -> new ChatStream(events.map(TokenEvent::text).filter(text -> !text.isEmpty())));
    }

    @Override
    public NDList processInput(TranslatorContext context, I input) {
        ChatInput asked = chat.apply(input);
        return TelechatBlock.wrap((TelechatBlock.Task) model -> run.apply(model, asked));
    }

    @Override
    @SuppressWarnings("unchecked")
    public O processOutput(TranslatorContext context, NDList list) {
        return wanted.apply((R) TelechatBlock.unwrap(list));
    }

    private static Generation generate(ChatModel model, ChatInput input) {
        return model.generate(prompt(model, input), options(model, input), TokenListener.SILENT);
    }

    private static int[] prompt(ChatModel model, ChatInput input) {
        return model.chatTokenizer().prompt(input.messages(), MarkerPolicy.ESCAPE);
    }

    private static GenerationOptions options(ChatModel model, ChatInput input) {
        GenerationOverrides asked = new GenerationOverrides(
                false,
                Optional.empty(),
                input.temperature(),
                input.topK(),
                input.topP(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        GenerationOptions options = model.asChat(model.defaults(asked))
                .alsoEndingWith(Set.of(), input.stop())
                .withSeed(
                        input.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong()));
        return input.maxTokens().map(options::withMaxNewTokens).orElse(options);
    }
}
