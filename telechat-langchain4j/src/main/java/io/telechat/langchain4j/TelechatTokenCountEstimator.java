// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.model.TokenCountEstimator;
import io.telechat.infer.ChatModel;
import java.util.ArrayList;
import java.util.List;

/**
 * LangChain4j's {@code TokenCountEstimator} with a model's own tokenizer: exact for texts. Messages are counted by their texts, to
 * which the chat format adds a few marks each.
 */
public final class TelechatTokenCountEstimator implements TokenCountEstimator {
    private final ChatModel model;

    public TelechatTokenCountEstimator(ChatModel model) {
        this.model = model;
    }

    @Override
    public int estimateTokenCountInText(String text) {
        return model.countTokens(text);
    }

    @Override
    public int estimateTokenCountInMessage(ChatMessage message) {
        return estimateTokenCountInMessages(List.of(message));
    }

    @Override
    public int estimateTokenCountInMessages(Iterable<ChatMessage> messages) {
        List<ChatMessage> all = new ArrayList<>();
        messages.forEach(all::add);
        return Messages.of(all, model.chatTokenizer()).stream()
                .mapToInt(message -> model.countTokens(message.content()))
                .sum();
    }
}
