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
import java.util.Set;

/**
 * Asks a server that speaks OpenAI's API. What fails for a while (no connection, too many requests, an error of the server) is
 * tried again, each time after twice the pause.
 */
public final class OpenAiClient implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofMinutes(30);
    private static final int TRIES = 5;
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);
    private static final long MOST_BYTES = 64L << 20;
    private static final int SHOWN = 300;

    /** Statuses that say that this request cannot be served, whatever becomes of others. */
    private static final Set<Integer> OF_THE_REQUEST = Set.of(400, 413, 422);

    private final URI base;
    private final Optional<String> key;
    private final Duration firstPause;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(30))
            .build();

    /**
     * @param base such as {@code http://127.0.0.1:8000/v1}; without a path, {@code /v1} is added
     * @param key that is sent along, if the server wants one
     * @throws InvalidRequestException if that is no address, or the key cannot be sent
     */
    public OpenAiClient(String base, Optional<String> key) {
        this(base, key, FIRST_PAUSE);
    }

    OpenAiClient(String base, Optional<String> key, Duration firstPause) {
        URI given = address(base.endsWith("/") ? base : base + "/");
        boolean isServer = "http".equals(given.getScheme()) || "https".equals(given.getScheme());
        if (!isServer || given.getHost() == null) {
            throw new InvalidRequestException(
                    "%s: is no address of a server; it should look like http://127.0.0.1:8000/v1", base);
        }
        if (key.isPresent() && !key.get().chars().allMatch(c -> c > ' ' && c < 127)) {
            throw new InvalidRequestException(
                    "the key has characters that cannot be sent: blanks, line ends or others");
        }
        this.base = given.getPath().equals("/") ? given.resolve("v1/") : given;
        this.key = key;
        this.firstPause = firstPause;
    }

    /** What paths are taken from. */
    public URI base() {
        return base;
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
     * @throws UnanswerableException if the server refuses this request as one that it cannot serve
     * @throws InvalidRequestException if the server refuses it for another reason
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
        Duration pause = firstPause;
        for (int attempt = 1; ; attempt++, pause = pause.multipliedBy(2)) {
            switch (attempt(request, attempt == TRIES)) {
                case Came(JsonNode json) -> {
                    return json;
                }
                case Later(Duration wanted) -> pause(wanted.compareTo(pause) > 0 ? wanted : pause);
            }
        }
    }

    /** What has come of one try. */
    private sealed interface Outcome {}

    private record Came(JsonNode json) implements Outcome {}

    /** It is worth another try, and not before this long. */
    private record Later(Duration wanted) implements Outcome {}

    private Outcome attempt(HttpRequest request, boolean last) {
        HttpResponse<String> response;
        try {
            response = http.send(
                    request, HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofString(), MOST_BYTES));
        } catch (IOException e) {
            if (last) {
                throw new InvalidInputException(
                        e,
                        "%s: there is no server, or it has hung up (%s)",
                        base,
                        e.getClass().getSimpleName());
            }
            return new Later(Duration.ZERO);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InvalidInputException(e, "%s: interrupted while it was asked", base);
        }
        int status = response.statusCode();
        if (status == 200) {
            return new Came(parsed(response.body()));
        }
        if (OF_THE_REQUEST.contains(status)) {
            throw new UnanswerableException("%s: the server answers %d: %s", base, status, said(response.body()));
        }
        if (last || status != 408 && status != 429 && status < 500) {
            throw new InvalidRequestException("%s: the server answers %d: %s", base, status, said(response.body()));
        }
        return new Later(retryAfter(response));
    }

    /** As the server wishes, within bounds. */
    private static Duration retryAfter(HttpResponse<String> response) {
        return response.headers()
                .firstValue("Retry-After")
                .filter(seconds -> seconds.matches("\\d{1,9}"))
                .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)))
                .map(wanted -> wanted.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wanted)
                .orElse(Duration.ZERO);
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
