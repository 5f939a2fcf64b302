// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.PartialThinkingContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.telechat.infer.ChatModel;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.tools.ToolAnswerStream;
import io.telechat.infer.tools.ToolCall;
import java.util.List;

/**
 * LangChain4j's {@code StreamingChatModel} over a model in this process, which the caller loads and closes; otherwise like {@link
 * TelechatChatModel}. A handler is called on a virtual thread of its request's own. It cancels by the context of a partial response,
 * after which it is not called any more.
 *
 * {@snippet file="snippets/LangChain4jSnippetsTest.java" region="stream"}
 */
public final class TelechatStreamingChatModel extends ModelSettings implements StreamingChatModel {
    /** With no parameters of its own. */
    public TelechatStreamingChatModel(ChatModel model) {
        this(model, ChatRequestParameters.builder().build(), List.of());
    }

    /**
     * @param defaults for what requests leave open
     * @param listeners hear of requests, responses and errors
     */
    public TelechatStreamingChatModel(
            ChatModel model, ChatRequestParameters defaults, List<ChatModelListener> listeners) {
        super(model, defaults, listeners);
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        Thread.ofVirtual().name("telechat-langchain4j").start(() -> {
            try {
                answer(Completion.of(model(), request), handler);
            } catch (RuntimeException | Error e) {
                handler.onError(e);
            }
        });
    }

    private static void answer(Completion completion, StreamingChatResponseHandler handler) {
        Cancellation cancellation = new Cancellation();
        Told told = new Told(handler, new Handle(cancellation));
        ToolAnswerStream parts = completion.tools().stream();
        Generation generation = completion.run(
                event -> {
                    told.thinking(event.thinking());
                    told.all(parts.add(event.text()));
                },
                cancellation);
        if (!cancellation.isCancelled()) {
            told.all(parts.finish());
            handler.onCompleteResponse(Responses.of(completion, generation));
        }
    }

    private record Handle(Cancellation cancellation) implements StreamingHandle {
        @Override
        public void cancel() {
            cancellation.cancel();
        }

        @Override
        public boolean isCancelled() {
            return cancellation.isCancelled();
        }
    }

    /** Tells a handler of what comes. */
    private static final class Told {
        private final StreamingChatResponseHandler handler;
        private final PartialResponseContext context;
        private final PartialThinkingContext thinkingContext;
        private int calls;

        Told(StreamingChatResponseHandler handler, StreamingHandle handle) {
            this.handler = handler;
            this.context = new PartialResponseContext(handle);
            this.thinkingContext = new PartialThinkingContext(handle);
        }

        void thinking(String thoughts) {
            if (!thoughts.isEmpty()) {
                handler.onPartialThinking(new PartialThinking(thoughts), thinkingContext);
            }
        }

        void all(List<ToolAnswerStream.Part> parts) {
            for (ToolAnswerStream.Part part : parts) {
                switch (part) {
                    case ToolAnswerStream.Text(String text) ->
                        handler.onPartialResponse(new PartialResponse(text), context);
                    case ToolAnswerStream.Call(ToolCall call) ->
                        handler.onCompleteToolCall(new CompleteToolCall(calls++, Responses.request(call)));
                }
            }
        }
    }
}
