// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.telechat.infer.ChatModel;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.TokenListener;
import java.util.List;

/**
 * LangChain4j's {@code ChatModel} over a model in this process, which the caller loads and closes. Parameters that a request leaves
 * open are the checkpoint's own; a JSON schema is kept to by every answer, and a call of a tool that is required always comes. For
 * any number of threads.
 *
 * {@snippet file="snippets/LangChain4jSnippetsTest.java" region="chat"}
 *
 * <p>Fails with {@link dev.langchain4j.exception.UnsupportedFeatureException} if a message has something else than text, and with
 * this library's own exceptions (see {@link ChatModel}) otherwise.
 */
public final class TelechatChatModel extends ModelSettings implements dev.langchain4j.model.chat.ChatModel {
    /** With no parameters of its own. */
    public TelechatChatModel(ChatModel model) {
        this(model, ChatRequestParameters.builder().build(), List.of());
    }

    /**
     * @param defaults for what requests leave open
     * @param listeners hear of requests, responses and errors
     */
    public TelechatChatModel(ChatModel model, ChatRequestParameters defaults, List<ChatModelListener> listeners) {
        super(model, defaults, listeners);
    }

    /** To interrupt the thread that waits ends the answer; what came of it is returned. */
    @Override
    public ChatResponse doChat(ChatRequest request) {
        Completion completion = Completion.of(model(), request);
        return Responses.of(completion, completion.run(TokenListener.SILENT, new Cancellation()));
    }
}
