// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.server.http.HttpReply;

/** Whole responses. */
final class Replies {
    private Replies() {}

    static HttpReply json(int status, JsonNode json) {
        return HttpReply.of(status, "application/json", json.toString());
    }

    static HttpReply json(JsonNode json) {
        return json(200, json);
    }
}
