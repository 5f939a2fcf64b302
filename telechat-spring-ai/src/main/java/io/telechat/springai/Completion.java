// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.infer.ChatModel;
import io.telechat.infer.GenerationOverrides;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenListener;
import io.telechat.infer.grammar.Grammar;
import io.telechat.infer.grammar.JsonSchema;
import io.telechat.infer.tools.Tools;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;

/**
 * A prompt of Spring AI, as this library puts it.
 *
 * @param prompt its ids
 * @param tools functions that may be called
 */
record Completion(ChatModel model, int[] prompt, GenerationOptions options, Tools tools) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static Completion of(ChatModel model, Prompt prompt, TelechatChatOptions options) {
        Tools tools = tools(options);
        int[] ids = model.chatTokenizer()
                .prompt(
                        tools.offer(
                                Messages.of(prompt.getInstructions(), model.chatTokenizer()), model.chatTokenizer()),
                        MarkerPolicy.ESCAPE);
        Optional<Grammar> grammar = tools.grammar()
                .or(() -> Optional.ofNullable(options.getOutputSchema())
                        .map(schema -> JsonSchema.compile(json("the output schema", schema))));
        GenerationOptions generation = generation(model, options);
        return new Completion(model, ids, grammar.map(generation::withGrammar).orElse(generation), tools);
    }

    Generation run(TokenListener listener, Cancellation cancellation) {
        return model.generate(prompt, options, listener, cancellation);
    }

    private static GenerationOptions generation(ChatModel model, TelechatChatOptions asked) {
        GenerationOverrides overrides = new GenerationOverrides(
                false,
                Optional.empty(),
                number(asked.getTemperature()),
                Optional.ofNullable(asked.getTopK()),
                number(asked.getTopP()),
                Optional.empty(),
                Optional.empty(),
                number(asked.getPresencePenalty()),
                number(asked.getFrequencyPenalty()));
        List<String> stops = Optional.ofNullable(asked.getStopSequences()).orElse(List.of());
        GenerationOptions options = model.asChat(model.defaults(overrides))
                .alsoEndingWith(Set.of(), stops)
                .withSeed(
                        asked.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong()));
        return asked.getMaxTokens() == null ? options : options.withMaxNewTokens(asked.getMaxTokens());
    }

    private static Optional<Float> number(Double value) {
        return Optional.ofNullable(value).map(Double::floatValue);
    }

    private static Tools tools(TelechatChatOptions asked) {
        Map<String, JsonNode> offered = new LinkedHashMap<>();
        for (ToolCallback callback : asked.getToolCallbacks()) {
            ToolDefinition tool = callback.getToolDefinition();
            offered.put(
                    tool.name(),
                    Tools.function(
                            tool.name(),
                            Optional.ofNullable(tool.description()),
                            Optional.of(json("the schema of tool " + tool.name(), tool.inputSchema()))));
        }
        return new Tools(offered, asked.isToolRequired() ? List.copyOf(offered.keySet()) : List.of());
    }

    private static JsonNode json(String what, String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(what + " is not JSON: " + e.getOriginalMessage(), e);
        }
    }
}
