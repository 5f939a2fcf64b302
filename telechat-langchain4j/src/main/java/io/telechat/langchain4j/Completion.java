// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
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

/**
 * A request of LangChain4j, as this library puts it.
 *
 * @param prompt its ids
 * @param tools functions that may be called
 */
record Completion(ChatModel model, int[] prompt, GenerationOptions options, Tools tools) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static Completion of(ChatModel model, ChatRequest request) {
        ChatRequestParameters parameters = request.parameters();
        Tools tools = tools(parameters);
        int[] prompt = model.chatTokenizer()
                .prompt(
                        tools.offer(Messages.of(request.messages(), model.chatTokenizer()), model.chatTokenizer()),
                        MarkerPolicy.ESCAPE);
        Optional<Grammar> grammar = tools.grammar().or(() -> format(parameters.responseFormat()));
        GenerationOptions options = options(model, parameters);
        return new Completion(model, prompt, grammar.map(options::withGrammar).orElse(options), tools);
    }

    Generation run(TokenListener listener, Cancellation cancellation) {
        return model.generate(prompt, options, listener, cancellation);
    }

    private static GenerationOptions options(ChatModel model, ChatRequestParameters asked) {
        GenerationOverrides overrides = new GenerationOverrides(
                false,
                Optional.empty(),
                number(asked.temperature()),
                Optional.ofNullable(asked.topK()),
                number(asked.topP()),
                Optional.empty(),
                Optional.empty(),
                number(asked.presencePenalty()),
                number(asked.frequencyPenalty()));
        GenerationOptions options = model.asChat(model.defaults(overrides))
                .alsoEndingWith(Set.of(), asked.stopSequences())
                .withSeed(ThreadLocalRandom.current().nextLong());
        return asked.maxOutputTokens() == null ? options : options.withMaxNewTokens(asked.maxOutputTokens());
    }

    private static Optional<Float> number(Double value) {
        return Optional.ofNullable(value).map(Double::floatValue);
    }

    private static Tools tools(ChatRequestParameters asked) {
        if (asked.toolChoice() == ToolChoice.NONE) {
            return Tools.NONE;
        }
        Map<String, JsonNode> offered = new LinkedHashMap<>();
        for (ToolSpecification tool : asked.toolSpecifications()) {
            offered.put(
                    tool.name(),
                    Tools.function(
                            tool.name(),
                            Optional.ofNullable(tool.description()),
                            Optional.ofNullable(tool.parameters()).map(Completion::schema)));
        }
        boolean forced = asked.toolChoice() == ToolChoice.REQUIRED;
        return new Tools(offered, forced ? List.copyOf(offered.keySet()) : List.of());
    }

    private static Optional<Grammar> format(ResponseFormat format) {
        if (format == null || format.type() == ResponseFormatType.TEXT) {
            return Optional.empty();
        }
        return Optional.of(
                format.jsonSchema() == null
                        ? JsonSchema.anyObject()
                        : JsonSchema.compile(schema(format.jsonSchema().rootElement())));
    }

    private static JsonNode schema(JsonSchemaElement element) {
        if (element instanceof JsonRawSchema raw) {
            try {
                return MAPPER.readTree(raw.schema());
            } catch (JsonProcessingException e) {
                throw new UnsupportedFeatureException("a raw schema is not JSON: " + e.getOriginalMessage());
            }
        }
        return MAPPER.valueToTree(JsonSchemaElementUtils.toMap(element));
    }
}
