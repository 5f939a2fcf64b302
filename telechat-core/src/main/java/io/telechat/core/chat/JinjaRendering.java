// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.jinja.JinjaTemplate;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Conversations as text, by a checkpoint's own template, with the variables that the reference's framework gives to it
 * ({@code apply_chat_template}).
 */
final class JinjaRendering {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final JinjaTemplate template;
    private final JinjaTemplate withTools;
    private final Map<String, String> tokens;

    private JinjaRendering(JinjaTemplate template, JinjaTemplate withTools, Map<String, String> tokens) {
        this.template = template;
        this.withTools = withTools;
        this.tokens = tokens;
    }

    /**
     * Empty where there is no template.
     *
     * @throws InvalidModelException if it cannot be used
     */
    static Optional<JinjaRendering> of(TemplateFiles files, Clock clock) {
        return files.template().map(source -> {
            JinjaTemplate template = JinjaTemplate.parse(source, files.origin(), clock);
            JinjaTemplate withTools = files.withTools()
                    .map(other -> JinjaTemplate.parse(other, files.origin(), clock))
                    .orElse(template);
            return new JinjaRendering(template, withTools, files.tokens());
        });
    }

    boolean mentions(String text) {
        return template.source().contains(text);
    }

    /** The text that the model is given for the next answer. */
    String prompt(List<ChatMessage> messages) {
        return render(template, messages, Optional.empty(), true);
    }

    /** A conversation that has ended. */
    String finished(List<ChatMessage> messages) {
        return render(template, messages, Optional.empty(), false);
    }

    /** @param tools one JSON schema each */
    String promptWithTools(List<ChatMessage> messages, List<String> tools) {
        List<Object> schemas = new ArrayList<>();
        tools.forEach(tool -> schemas.add(value(parse(tool))));
        return render(withTools, messages, Optional.of(schemas), true);
    }

    private String render(
            JinjaTemplate by, List<ChatMessage> messages, Optional<List<Object>> tools, boolean forAnswer) {
        List<Object> all = new ArrayList<>();
        for (ChatMessage message : messages) {
            Map<Object, Object> one = new LinkedHashMap<>();
            one.put("role", message.role().lowerCase());
            one.put("content", message.content());
            all.add(one);
        }
        Map<String, Object> variables = new HashMap<>(tokens);
        variables.put("messages", all);
        variables.put("tools", tools.orElse(null));
        variables.put("documents", null);
        variables.put("add_generation_prompt", forAnswer);
        return by.render(variables);
    }

    private static JsonNode parse(String json) {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw new InvalidRequestException("the description of a tool is not JSON");
        }
    }

    private static Object value(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> {
                Map<Object, Object> map = new LinkedHashMap<>();
                node.properties().forEach(e -> map.put(e.getKey(), value(e.getValue())));
                yield map;
            }
            case ARRAY -> {
                List<Object> list = new ArrayList<>();
                node.forEach(item -> list.add(value(item)));
                yield list;
            }
            case NUMBER ->
                node.isIntegralNumber()
                        ? node.canConvertToLong() ? (Object) node.longValue() : node.bigIntegerValue()
                        : (Object) node.doubleValue();
            case BOOLEAN -> node.booleanValue();
            case STRING -> node.textValue();
            default -> null;
        };
    }
}
