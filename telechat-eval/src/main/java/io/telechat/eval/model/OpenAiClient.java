// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;

/**
 * Asks a server that speaks OpenAI's API. What fails for a while (no connection, too many requests, an error of the server) is
 * tried again, each time after twice the pause.
 */
public final class OpenAiClient implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofMinutes(30);
    private static final int TRIES = 5;
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final int SHOWN = 300;

    private final URI base;
    private final Optional<String> key;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(30))
            .build();

    /**
     * @param base such as {@code http://127.0.0.1:8000/v1}
     * @param key that is sent along, if the server wants one
     * @throws InvalidRequestException if that is no address
     */
    public OpenAiClient(String base, Optional<String> key) {
        String slashed = base.endsWith("/") ? base : base + "/";
        this.base = address(slashed);
        this.key = key;
        if (!"http".equals(this.base.getScheme()) && !"https".equals(this.base.getScheme())) {
            throw new InvalidRequestException(
                    "%s: is no address of a server; it should look like http://127.0.0.1:8000/v1", base);
        }
    }

    private static URI address(String text) {
        try {
            return URI.create(text);
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException(
                    "%s: is no address of a server; it should look like http://127.0.0.1:8000/v1", text);
        }
    }

    /**
     * Posts a request and waits for the answer.
     *
     * @param path behind the base, such as {@code chat/completions}
     * @throws InvalidRequestException if the server refuses it
     * @throws InvalidInputException if the server cannot be reached, or its answer is no JSON
     */
    public JsonNode post(String path, ObjectNode body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()));
        return send(request);
    }

    /** Likewise, without a body. */
    public JsonNode get(String path) {
        return send(HttpRequest.newBuilder(base.resolve(path)).timeout(PATIENCE).GET());
    }

    private JsonNode send(HttpRequest.Builder builder) {
        key.ifPresent(secret -> builder.header("Authorization", "Bearer " + secret));
        HttpRequest request = builder.build();
        Duration pause = FIRST_PAUSE;
        for (int attempt = 1; ; attempt++, pause = pause.multipliedBy(2)) {
            Optional<JsonNode> answer = attempt(request, attempt == TRIES);
            if (answer.isPresent()) {
                return answer.get();
            }
            pause(pause);
        }
    }

    /** Empty if it is worth another try. */
    private Optional<JsonNode> attempt(HttpRequest request, boolean last) {
        HttpResponse<String> response;
        try {
            response = http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            if (last) {
                throw new InvalidInputException(
                        e,
                        "%s: there is no server, or it has hung up (%s)",
                        base,
                        e.getClass().getSimpleName());
            }
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InvalidInputException(e, "%s: interrupted while it was asked", base);
        }
        int status = response.statusCode();
        if (status == 200) {
            return Optional.of(parsed(response.body()));
        }
        if (last || status != 408 && status != 429 && status < 500) {
            throw new InvalidRequestException("%s: the server answers %d: %s", base, status, said(response.body()));
        }
        return Optional.empty();
    }

    private JsonNode parsed(String body) {
        try {
            return MAPPER.readTree(body);
        } catch (JsonProcessingException e) {
            throw new InvalidInputException(e, "%s: the server's answer is no JSON: %s", base, shortened(body));
        }
    }

    /** The message of an error, or the beginning of whatever came. */
    private static String said(String body) {
        try {
            return shortened(MAPPER.readTree(body).path("error").path("message").asText(body));
        } catch (JsonProcessingException e) {
            return shortened(body);
        }
    }

    private static String shortened(String text) {
        return text.length() <= SHOWN ? text.strip() : text.substring(0, SHOWN).strip() + "…";
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InvalidInputException(e, "%s", Message.of("interrupted"));
        }
    }

    @Override
    public void close() {
        http.close();
    }
}
