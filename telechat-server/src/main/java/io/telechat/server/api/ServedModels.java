// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.ops.Batch;
import io.telechat.infer.ChatModel;
import java.util.List;
import java.util.Optional;

/** The model under its name, and its adapters under theirs. */
public final class ServedModels {
    private final ChatModel model;
    private final String name;
    private final List<String> adapters;
    private final long created = System.currentTimeMillis() / 1000;

    /** @param adapters names, in the order in which they were loaded */
    public ServedModels(ChatModel model, String name, List<String> adapters) {
        this.model = model;
        this.name = name;
        this.adapters = List.copyOf(adapters);
    }

    /**
     * One that a request may name.
     *
     * @param adapter which of the model's adapters it goes through
     */
    record Served(String name, int adapter) {}

    ChatModel model() {
        return model;
    }

    String name() {
        return name;
    }

    /** What the field {@code model} of a request names; nothing names the model itself. */
    Served of(Fields request) {
        String asked = request.text("model").orElse(name);
        return find(asked)
                .orElseThrow(() -> new ApiException(
                        404,
                        "not_found_error",
                        "model",
                        "model_not_found",
                        "there is no model '%s' here".formatted(asked)));
    }

    private Optional<Served> find(String asked) {
        if (asked.equals(name)) {
            return Optional.of(new Served(name, Batch.Span.NO_ADAPTER));
        }
        int adapter = adapters.indexOf(asked);
        return adapter < 0 ? Optional.empty() : Optional.of(new Served(asked, adapter));
    }

    ObjectNode list() {
        ObjectNode list = JsonNodeFactory.instance.objectNode();
        list.put("object", "list");
        ArrayNode data = list.putArray("data");
        data.add(card(name));
        adapters.forEach(adapter -> data.add(card(adapter)));
        return list;
    }

    ObjectNode get(String asked) {
        return find(asked)
                .map(served -> card(served.name()))
                .orElseThrow(() -> new ApiException(
                        404,
                        "not_found_error",
                        "model",
                        "model_not_found",
                        "there is no model '%s' here".formatted(asked)));
    }

    private ObjectNode card(String id) {
        ObjectNode card = JsonNodeFactory.instance.objectNode();
        card.put("id", id);
        card.put("object", "model");
        card.put("created", created);
        card.put("owned_by", "telechat");
        card.put("root", name);
        card.put("parent", id.equals(name) ? null : name);
        card.put("max_model_len", model.contextLength());
        return card;
    }
}
