// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.tool.ToolCallback;

/**
 * Spring AI's options of a chat with tools and a schema, and two of this library's. What is left open is the checkpoint's own choice;
 * the name of a model changes nothing. Immutable.
 */
public final class TelechatChatOptions extends DefaultToolCallingChatOptions implements StructuredOutputChatOptions {
    /** What Spring AI does not know. */
    private record Own(String outputSchema, Long seed, Boolean toolRequired) {
        static final Own NONE = new Own(null, null, null);

        /** The other's, and these where it leaves something open. */
        Own under(Own other) {
            return new Own(
                    other.outputSchema == null ? outputSchema : other.outputSchema,
                    other.seed == null ? seed : other.seed,
                    other.toolRequired == null ? toolRequired : other.toolRequired);
        }
    }

    private final Own own;

    private TelechatChatOptions(List<ToolCallback> tools, Map<String, Object> context, ChatOptions common, Own own) {
        super(
                tools,
                context,
                common.getModel(),
                common.getFrequencyPenalty(),
                common.getMaxTokens(),
                common.getPresencePenalty(),
                common.getStopSequences(),
                common.getTemperature(),
                common.getTopK(),
                common.getTopP());
        this.own = own;
    }

    /** Of options that leave everything open. */
    public static Builder builder() {
        return new Builder();
    }

    /** The JSON schema that the answer keeps to; null if it may be any text. */
    @Override
    public String getOutputSchema() {
        return own.outputSchema();
    }

    /** Of the random draw: the same seed gives the same answer. Without one, each request has its own. */
    public Optional<Long> seed() {
        return Optional.ofNullable(own.seed());
    }

    /** Whether one of the tools has to be called. */
    public boolean isToolRequired() {
        return Boolean.TRUE.equals(own.toolRequired());
    }

    @Override
    public Builder mutate() {
        return new Builder().copy(this);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TelechatChatOptions options && super.equals(other) && own.equals(options.own);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), own);
    }

    /** Makes options. */
    public static final class Builder extends DefaultToolCallingChatOptions.Builder<Builder>
            implements StructuredOutputChatOptions.Builder<Builder> {
        private Own own = Own.NONE;

        private Builder() {}

        private Builder copy(TelechatChatOptions options) {
            own = options.own;
            return toolCallbacks(options.getToolCallbacks())
                    .toolContext(options.getToolContext())
                    .model(options.getModel())
                    .frequencyPenalty(options.getFrequencyPenalty())
                    .maxTokens(options.getMaxTokens())
                    .presencePenalty(options.getPresencePenalty())
                    .stopSequences(options.getStopSequences())
                    .temperature(options.getTemperature())
                    .topK(options.getTopK())
                    .topP(options.getTopP());
        }

        /** The answer keeps to this JSON schema. */
        @Override
        public Builder outputSchema(String schema) {
            own = new Own(schema, own.seed(), own.toolRequired());
            return this;
        }

        /** Of the random draw. */
        public Builder seed(long seed) {
            own = new Own(own.outputSchema(), seed, own.toolRequired());
            return this;
        }

        /** One of the tools has to be called. */
        public Builder toolRequired(boolean required) {
            own = new Own(own.outputSchema(), own.seed(), required);
            return this;
        }

        /** What the other says, and this where it leaves something open. */
        @Override
        public Builder combineWith(ChatOptions.Builder<?> other) {
            super.combineWith(other);
            if (other instanceof Builder builder) {
                own = own.under(builder.own);
            } else if (other.build() instanceof StructuredOutputChatOptions options
                    && options.getOutputSchema() != null) {
                outputSchema(options.getOutputSchema());
            }
            return this;
        }

        @Override
        public TelechatChatOptions build() {
            return new TelechatChatOptions(
                    toolCallbacks == null ? List.of() : toolCallbacks,
                    toolContext == null ? Map.of() : toolContext,
                    super.build(),
                    own);
        }
    }
}
