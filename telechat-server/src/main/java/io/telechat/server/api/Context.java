// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.infer.ChatModel;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.FinishReason;
import io.telechat.server.http.HttpExchange;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What the endpoints have in common.
 *
 * @param timeout of a request; empty for none
 * @param fingerprint of what computes the answers
 */
record Context(ServedModels models, ServerMetrics metrics, Optional<Duration> timeout, String fingerprint) {
    ChatModel model() {
        return models.model();
    }

    Job start(List<Request> requests, HttpExchange exchange) {
        return Job.start(model().engine(), requests, exchange, timeout, metrics);
    }

    /** What each answer, and each chunk of one, begins with. */
    ObjectNode envelope(String id, String object, long created, String modelName) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", id);
        json.put("object", object);
        json.put("created", created);
        json.put("model", modelName);
        json.put("system_fingerprint", fingerprint);
        return json;
    }

    static String finishReason(FinishReason reason) {
        return reason == FinishReason.LENGTH ? "length" : "stop";
    }
}
