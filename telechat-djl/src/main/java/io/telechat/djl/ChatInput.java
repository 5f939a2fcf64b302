// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import io.telechat.core.chat.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A conversation whose next message is asked for. What is left empty is the checkpoint's default.
 *
 * @param messages the last one is the user's
 * @param maxTokens of the answer at most
 * @param stop texts that end the answer, and are no part of it
 * @param seed of what is drawn; empty for another one each time
 */
public record ChatInput(
        List<ChatMessage> messages,
        Optional<Integer> maxTokens,
        Optional<Float> temperature,
        Optional<Float> topP,
        Optional<Integer> topK,
        List<String> stop,
        OptionalLong seed) {
    public ChatInput {
        messages = List.copyOf(messages);
        stop = List.copyOf(stop);
    }

    /** One question. */
    public static ChatInput text(String question) {
        return builder().user(question).build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects a conversation. */
    public static final class Builder {
        private final List<ChatMessage> messages = new ArrayList<>();
        private final List<String> stop = new ArrayList<>();
        private Optional<Integer> maxTokens = Optional.empty();
        private Optional<Float> temperature = Optional.empty();
        private Optional<Float> topP = Optional.empty();
        private Optional<Integer> topK = Optional.empty();
        private OptionalLong seed = OptionalLong.empty();

        private Builder() {}

        public Builder message(ChatMessage message) {
            messages.add(message);
            return this;
        }

        public Builder system(String content) {
            return message(ChatMessage.system(content));
        }

        public Builder user(String content) {
            return message(ChatMessage.user(content));
        }

        public Builder assistant(String content) {
            return message(ChatMessage.assistant(content));
        }

        public Builder maxTokens(int count) {
            maxTokens = Optional.of(count);
            return this;
        }

        /** @param value 0 for always the likeliest token */
        public Builder temperature(float value) {
            temperature = Optional.of(value);
            return this;
        }

        public Builder topP(float value) {
            topP = Optional.of(value);
            return this;
        }

        public Builder topK(int count) {
            topK = Optional.of(count);
            return this;
        }

        public Builder stop(String text) {
            stop.add(text);
            return this;
        }

        public Builder seed(long number) {
            seed = OptionalLong.of(number);
            return this;
        }

        public ChatInput build() {
            return new ChatInput(messages, maxTokens, temperature, topP, topK, stop, seed);
        }
    }
}
