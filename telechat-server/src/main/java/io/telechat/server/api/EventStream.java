// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.server.http.HttpExchange;
import io.telechat.server.http.HttpReply;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Server-sent events (WHATWG HTML, section 9.2), as the API streams its chunks. */
final class EventStream {
    private static final Logger LOG = LoggerFactory.getLogger(EventStream.class);

    private final HttpExchange.Stream stream;
    private long latest = System.nanoTime();

    EventStream(HttpExchange exchange) {
        this.stream = exchange.stream(HttpReply.of(200, "text/event-stream; charset=utf-8", "")
                .withHeader("Cache-Control", "no-cache")
                .withHeader("X-Accel-Buffering", "no"));
    }

    void send(JsonNode data) {
        write("data: " + data + "\n\n");
    }

    private void write(String event) {
        stream.write(event);
        latest = System.nanoTime();
    }

    /** An error after the stream has begun: some clients look for the event's name, others for the key in its data. */
    void error(RuntimeException failure) {
        ApiException told = ApiException.of(failure).orElseGet(() -> {
            LOG.error("a stream has failed", failure);
            return new ApiException(500, "internal_error", null, null, "something went wrong in the server");
        });
        write("event: error\ndata: " + told.json() + "\n\n");
        stream.end();
    }

    /** After a long silence a comment, so that proxies do not take it for an end. */
    void keepAliveIfSilent() {
        if (System.nanoTime() - latest >= Answers.SILENCE.toNanos()) {
            write(": still there\n\n");
        }
    }

    void done() {
        write("data: [DONE]\n\n");
        stream.end();
    }
}
