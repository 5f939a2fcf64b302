// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.server.http.HttpExchange;
import io.telechat.server.http.HttpReply;

/** Server-sent events (WHATWG HTML, section 9.2), as the API streams its chunks. */
final class EventStream {
    private final HttpExchange.Stream stream;

    EventStream(HttpExchange exchange, String requestId) {
        this.stream = exchange.stream(HttpReply.of(200, "text/event-stream; charset=utf-8", "")
                .withHeader("Cache-Control", "no-cache")
                .withHeader("X-Accel-Buffering", "no")
                .withHeader("X-Request-Id", requestId));
    }

    void send(JsonNode data) {
        stream.write("data: " + data + "\n\n");
    }

    /** An error after the stream has begun: some clients look for the event's name, others for the key in its data. */
    void error(ApiException failure) {
        stream.write("event: error\ndata: " + failure.json() + "\n\n");
        stream.end();
    }

    /** A comment, so that proxies do not take silence for an end. */
    void keepAlive() {
        stream.write(": still there\n\n");
    }

    void done() {
        stream.write("data: [DONE]\n\n");
        stream.end();
    }
}
