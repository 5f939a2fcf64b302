// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidRequestException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/** Asks a server of the API. Thread-safe. */
final class ApiClient implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofMinutes(30);

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
    private final String url;
    private final Optional<String> key;

    ApiClient(String url, Optional<String> key) {
        this.url = url.replaceFirst("/+$", "").replaceFirst("/v1$", "");
        this.key = key;
    }

    private HttpRequest.Builder request(String path) {
        try {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(URI.create(url + path)).timeout(PATIENCE);
            key.ifPresent(k -> request.header("Authorization", "Bearer " + k));
            return request;
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException("%s: is no address of a server", url);
        }
    }

    JsonNode get(String path) {
        return whole(request(path).GET().build());
    }

    JsonNode post(String path, JsonNode body) {
        return whole(posting(path, body));
    }

    private HttpRequest posting(String path, JsonNode body) {
        return request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
    }

    private JsonNode whole(HttpRequest request) {
        try {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new InvalidRequestException(
                        "%s: the server answered %d: %s", request.uri(), response.statusCode(), response.body());
            }
            return MAPPER.readTree(response.body());
        } catch (ConnectException e) { // which has no message of its own
            throw new InvalidRequestException(
                    e, "%s: no server answers there (%s)", request.uri(), "connection refused");
        } catch (IOException e) {
            throw new InvalidRequestException("%s: no server answers there (%s)", request.uri(), e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Sends a request and times what streams back. */
    Timing stream(LoadRequest load) throws IOException, InterruptedException {
        ObjectNode body = load.body().deepCopy();
        body.put("stream", true);
        body.putObject("stream_options").put("include_usage", true);
        Timing timing = new Timing();
        HttpResponse<InputStream> response =
                http.send(posting(load.path(), body), HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            if (response.statusCode() != 200) {
                throw new IOException(response.statusCode() + " " + lines.readLine());
            }
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.equals("data: [DONE]")) {
                    timing.ended();
                } else if (line.startsWith("data: ")) {
                    event(MAPPER.readTree(line.substring("data: ".length())), timing);
                }
            }
        }
        if (!timing.isWhole()) {
            throw new IOException("the stream broke off");
        }
        return timing;
    }

    private static void event(JsonNode event, Timing timing) throws IOException {
        if (event.has("error")) {
            throw new IOException(event.get("error").path("message").asText());
        }
        JsonNode choice = event.path("choices").path(0);
        boolean text = !choice.path("text").asText("").isEmpty()
                || !choice.path("delta").path("content").asText("").isEmpty()
                || !choice.path("delta").path("reasoning_content").asText("").isEmpty();
        if (text) {
            timing.arrived();
        }
        if (event.path("usage").isObject()) {
            timing.counted(event.get("usage").path("completion_tokens").intValue());
        }
    }

    @Override
    public void close() {
        http.close();
    }
}
