// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenListener;
import io.telechat.infer.tools.ToolAnswerStream;
import java.util.List;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/**
 * Spring AI's {@code ChatModel} over a model in this process, which the caller loads and closes. Options that a prompt leaves open
 * are this object's, then the checkpoint's own; an output schema is kept to by every answer. Calls of tools are given back, for
 * {@code ChatClient} to run. For any number of threads.
 *
 * {@snippet file="snippets/SpringAiSnippetsTest.java" region="chat"}
 *
 * <p>Fails with {@link IllegalArgumentException} if a message has something else than text or a schema is not JSON, and with this
 * library's own exceptions (see {@link io.telechat.infer.ChatModel}) otherwise.
 */
public final class TelechatChatModel implements ChatModel {
    private final io.telechat.infer.ChatModel model;
    private final TelechatChatOptions options;

    /** With no options of its own. */
    public TelechatChatModel(io.telechat.infer.ChatModel model) {
        this(model, TelechatChatOptions.builder().build());
    }

    /** @param options for what prompts leave open */
    public TelechatChatModel(io.telechat.infer.ChatModel model, TelechatChatOptions options) {
        this.model = model;
        this.options = options;
    }

    @Override
    public TelechatChatOptions getOptions() {
        return options;
    }

    /** To interrupt the thread that waits ends the answer; what came of it is returned. */
    @Override
    public ChatResponse call(Prompt prompt) {
        Completion completion = completion(prompt);
        return new Responses(completion).whole(completion.run(TokenListener.SILENT, new Cancellation()));
    }

    /** Begins with its subscription, and ends with it: to cancel stops the work. The last element has the counts. */
    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
        return Flux.create(sink -> {
            Cancellation cancellation = new Cancellation();
            sink.onDispose(cancellation::cancel);
            Thread.ofVirtual().name("telechat-spring-ai").start(() -> {
                try {
                    answer(completion(prompt), sink, cancellation);
                } catch (RuntimeException | Error e) {
                    sink.error(e);
                }
            });
        });
    }

    private Completion completion(Prompt prompt) {
        return Completion.of(
                model,
                prompt,
                prompt.getOptions() == null
                        ? options
                        : options.mutate()
                                .combineWith(prompt.getOptions().mutate())
                                .build());
    }

    private static void answer(Completion completion, FluxSink<ChatResponse> sink, Cancellation cancellation) {
        Responses responses = new Responses(completion);
        ToolAnswerStream parts = completion.tools().stream();
        Generation generation = completion.run(
                event -> {
                    if (!event.thinking().isEmpty()) {
                        sink.next(responses.thinking(event.thinking()));
                    }
                    tell(parts.add(event.text()), responses, sink);
                },
                cancellation);
        tell(parts.finish(), responses, sink);
        boolean hasCalls = !completion.tools().answer(generation.text()).calls().isEmpty();
        sink.next(responses.end(generation, hasCalls));
        sink.complete();
    }

    private static void tell(List<ToolAnswerStream.Part> parts, Responses responses, FluxSink<ChatResponse> sink) {
        for (ToolAnswerStream.Part part : parts) {
            sink.next(
                    switch (part) {
                        case ToolAnswerStream.Text(var text) -> responses.part(text, List.of());
                        case ToolAnswerStream.Call(var call) -> responses.part("", List.of(call));
                    });
        }
    }
}
