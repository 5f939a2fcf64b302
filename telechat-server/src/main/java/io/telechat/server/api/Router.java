// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.server.http.HttpExchange;
import io.telechat.server.http.HttpHandler;
import io.telechat.server.http.HttpReply;
import io.telechat.server.http.RequestHead;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which endpoint answers which request, and who may ask. Routes are matched exactly. */
public final class Router implements HttpHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Router.class);
    private static final String MODEL = "/v1/models/";

    private final Gatekeeper gatekeeper;
    private final Optional<Page> page;
    private final String version;
    private volatile Optional<Endpoints> endpoints = Optional.empty();
    private volatile boolean draining;

    /** @param page empty for none */
    public Router(Gatekeeper gatekeeper, Optional<Page> page, String version) {
        this.gatekeeper = gatekeeper;
        this.page = page;
        this.version = version;
    }

    /** All endpoints of a loaded model. */
    private record Endpoints(
            Context context,
            ChatEndpoint chat,
            CompletionEndpoint completions,
            EmbeddingEndpoint embeddings,
            TokenEndpoints tokens) {}

    /** The model has been loaded: from now on, requests are answered. */
    public void ready(ServedModels models, ServerMetrics metrics, Optional<Duration> timeout) {
        Context context = new Context(models, metrics, timeout, "telechat-" + version);
        endpoints = Optional.of(new Endpoints(
                context,
                new ChatEndpoint(context),
                new CompletionEndpoint(context),
                new EmbeddingEndpoint(context),
                new TokenEndpoints(context)));
    }

    /** From now on, no new work is taken. */
    public void drain() {
        draining = true;
    }

    /** The methods of a path; empty if there is no such path. */
    private Set<String> methods(String path) {
        return switch (path) {
            case "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/tokenize", "/detokenize" ->
                Set.of("POST");
            case "/health", "/version", "/metrics", "/v1/models" -> Set.of("GET", "HEAD");
            default ->
                path.startsWith(MODEL) && path.length() > MODEL.length()
                                || page.filter(p -> p.has(path)).isPresent()
                        ? Set.of("GET", "HEAD")
                        : Set.of();
        };
    }

    /** Whether a path may be asked for without a key. */
    private boolean isOpen(String path) {
        return path.equals("/health") || page.filter(p -> p.has(path)).isPresent();
    }

    @Override
    public Optional<HttpReply> refuse(RequestHead head) {
        try {
            gatekeeper.checkHost(head);
            Set<String> methods = methods(head.target());
            if (!isOpen(head.target())) {
                gatekeeper.checkKey(head);
            }
            if (methods.isEmpty()) {
                throw ApiException.notFound("there is nothing at this path");
            }
            if (!methods.contains(head.method())) {
                ApiException wrong = new ApiException(
                        405, "invalid_request_error", null, null, "this path takes " + String.join(" or ", methods));
                return Optional.of(wrong.reply().withHeader("Allow", String.join(", ", methods)));
            }
            if (head.method().equals("POST")) {
                requireJson(head);
            }
            return Optional.empty();
        } catch (ApiException e) {
            return Optional.of(e.reply());
        }
    }

    private static void requireJson(RequestHead head) {
        String type = head.header("content-type").orElse("");
        int parameters = type.indexOf(';');
        String plain = (parameters < 0 ? type : type.substring(0, parameters)).strip();
        if (!plain.equalsIgnoreCase("application/json")) {
            throw new ApiException(
                    415, "invalid_request_error", null, null, "the content type must be application/json");
        }
        String coding = head.header("content-encoding").orElse("identity");
        if (!coding.equalsIgnoreCase("identity")) {
            throw new ApiException(415, "invalid_request_error", null, null, "the body must not be compressed");
        }
    }

    @Override
    public HttpReply malformed(int status, String what) {
        String type = status >= 500 ? "internal_error" : "invalid_request_error";
        return new ApiException(status, type, null, null, what).reply();
    }

    @Override
    public void handle(HttpExchange exchange) {
        try {
            answer(exchange);
        } catch (RuntimeException e) {
            ApiException failure = ApiException.of(e).orElseThrow(() -> e);
            exchange.reply(failure.reply());
        }
    }

    private void answer(HttpExchange exchange) {
        String path = exchange.head().target();
        switch (path) {
            case "/health" -> reply(exchange, health());
            case "/version" -> reply(exchange, object().put("version", version));
            default -> {
                if (page.filter(p -> p.has(path)).isPresent()) {
                    exchange.reply(page.get().get(path));
                } else {
                    answer(working(), exchange);
                }
            }
        }
    }

    private void answer(Endpoints to, HttpExchange exchange) {
        String path = exchange.head().target();
        LOG.debug("{} {}", exchange.id(), path);
        switch (path) {
            case "/v1/chat/completions" -> to.chat().handle(exchange);
            case "/v1/completions" -> to.completions().handle(exchange);
            case "/v1/embeddings" -> to.embeddings().handle(exchange);
            case "/tokenize" -> reply(exchange, to.tokens().tokenize(fields(exchange)));
            case "/detokenize" -> reply(exchange, to.tokens().detokenize(fields(exchange)));
            case "/v1/models" -> reply(exchange, to.context().models().list());
            case "/metrics" ->
                exchange.reply(HttpReply.of(
                        200,
                        "text/plain; version=0.0.4; charset=utf-8",
                        to.context().metrics().text()));
            default -> reply(exchange, to.context().models().get(decoded(path.substring(MODEL.length()))));
        }
    }

    private static Fields fields(HttpExchange exchange) {
        return new Fields(StrictJson.object(exchange.body()));
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    private static void reply(HttpExchange exchange, ObjectNode json) {
        exchange.reply(Replies.json(json));
    }

    /** A model's name, of which clients may write slashes as {@code %2F}. */
    private static String decoded(String name) {
        try {
            return URLDecoder.decode(name.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw ApiException.notFound("there is no such model");
        }
    }

    private Endpoints working() {
        if (draining) {
            throw ApiException.unavailable("the server is about to end");
        }
        return endpoints.orElseThrow(() -> ApiException.unavailable("the model is still being loaded"));
    }

    private ObjectNode health() {
        working();
        return object().put("status", "ok");
    }
}
