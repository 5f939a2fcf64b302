// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.telechat.infer.ChatModel;
import java.util.List;
import java.util.Set;

/** What LangChain4j asks of a chat model, whether or not it streams. */
abstract class ModelSettings {
    private final ChatModel model;
    private final ChatRequestParameters defaults;
    private final List<ChatModelListener> listeners;

    ModelSettings(ChatModel model, ChatRequestParameters defaults, List<ChatModelListener> listeners) {
        this.model = model;
        this.defaults = defaults;
        this.listeners = List.copyOf(listeners);
    }

    final ChatModel model() {
        return model;
    }

    public ChatRequestParameters defaultRequestParameters() {
        return defaults;
    }

    public List<ChatModelListener> listeners() {
        return listeners;
    }

    public Set<Capability> supportedCapabilities() {
        return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }
}
