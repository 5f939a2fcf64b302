// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.infer.engine.QueueFullException;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.server.http.HttpReply;
import java.util.Locale;
import java.util.Optional;

/** An error as clients of the API read it: {@code {"error": {"message", "type", "param", "code"}}}. In English, for programs. */
final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String type;
    private final String param;
    private final String code;

    /**
     * @param param field of the request that is wrong; null for none
     * @param code that tells errors of one status apart; null for none
     */
    ApiException(int status, String type, String param, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
    }

    /** A request that cannot be fulfilled as it is. */
    static ApiException invalid(String param, String format, Object... args) {
        return new ApiException(400, "invalid_request_error", param, null, String.format(Locale.ROOT, format, args));
    }

    static ApiException notFound(String message) {
        return new ApiException(404, "not_found_error", null, null, message);
    }

    static ApiException unavailable(String message) {
        return new ApiException(503, "unavailable_error", null, null, message);
    }

    /** What a failure of the library means to a client; empty if it is an error of ours. */
    static Optional<ApiException> of(RuntimeException failure) {
        return switch (failure) {
            case ApiException e -> Optional.of(e);
            case ContextOverflowException e ->
                Optional.of(new ApiException(
                        400,
                        "invalid_request_error",
                        "messages",
                        "context_length_exceeded",
                        "This model's maximum context length is %d tokens, but the prompt has %d tokens and the answer"
                                        .formatted(e.contextLength(), e.promptTokens())
                                + " needs room, too. Shorten the prompt."));
            case QueueFullException e ->
                Optional.of(new ApiException(429, "rate_limit_error", null, "queue_full", e.getMessage()));
            case InvalidRequestException e -> Optional.of(invalid(null, "%s", e.getMessage()));
            default -> Optional.empty();
        };
    }

    int status() {
        return status;
    }

    /** The error object. */
    ObjectNode json() {
        ObjectNode error = JsonNodeFactory.instance.objectNode();
        error.put("message", getMessage());
        error.put("type", type);
        error.put("param", param);
        error.put("code", code);
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.set("error", error);
        return json;
    }

    HttpReply reply() {
        HttpReply reply = Replies.json(status, json());
        return switch (status) {
            case 401 -> reply.withHeader("WWW-Authenticate", "Bearer");
            case 429, 503 -> reply.withHeader("Retry-After", "2");
            default -> reply;
        };
    }
}
