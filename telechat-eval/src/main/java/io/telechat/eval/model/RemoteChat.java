// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.chat.ChatMessage;
import java.util.List;

/** A model behind {@code chat/completions} of OpenAI's API. */
public final class RemoteChat implements Chat {
    private static final String THOUGHTS = "<think>";
    private static final String THOUGHTS_END = "</think>";

    private final OpenAiClient client;
    private final String name;
    private final int parallel;

    /**
     * @param client closed with this
     * @param name of the model, as the server has it
     * @param parallel requests under way at once
     */
    public RemoteChat(OpenAiClient client, String name, int parallel) {
        this.client = client;
        this.name = name;
        this.parallel = parallel;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int parallel() {
        return parallel;
    }

    @Override
    public String answer(List<ChatMessage> conversation, ChatSettings how) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("model", name);
        ArrayNode messages = body.putArray("messages");
        conversation.forEach(message ->
                messages.addObject().put("role", message.role().lowerCase()).put("content", message.content()));
        body.put("temperature", how.temperature());
        body.put("max_tokens", how.maxNewTokens());
        if (how.temperature() > 0) { // some servers know of no seed
            body.put("seed", how.seed());
        }
        JsonNode choice = client.post("chat/completions", body).path("choices").path(0);
        if (!choice.path("message").isObject()) {
            throw new InvalidInputException("%s: the server's answer has no message in it", client.base());
        }
        return withoutThoughts(choice.path("message").path("content").asText(""));
    }

    /** Some servers leave thoughts in the text. */
    private static String withoutThoughts(String text) {
        if (!text.stripLeading().startsWith(THOUGHTS)) {
            return text;
        }
        int end = text.indexOf(THOUGHTS_END);
        return end < 0 ? "" : text.substring(end + THOUGHTS_END.length()).strip();
    }

    @Override
    public void close() {
        client.close();
    }
}
