// SPDX-License-Identifier: Apache-2.0
package io.telechat.server;

import io.telechat.core.testing.TinyModels;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A small model of random weights behind a real server, and a real client of it. */
final class Served implements AutoCloseable {
    private final TelechatServer server;
    private final HttpClient client = HttpClient.newHttpClient();

    Served(Path directory, List<String> keys) throws IOException {
        // Its end is an id that the tokenizer lacks: answers are as long as was asked for.
        String config =
                TinyModels.CONFIG_52B.replace("256", "2048").replace("\"eos_token_id\": 2", "\"eos_token_id\": 290");
        this(TinyModels.make(directory, "tiny", config, 1), keys, LoadOptions.builder());
    }

    private Served(Path model, List<String> keys, LoadOptions.Builder builder) {
        ServerOptions options = new ServerOptions(
                "127.0.0.1", 0, keys, false, Set.of(), "tiny", List.of(), 64 << 10, Optional.empty(), true);
        LoadOptions load = builder.cacheSize(new CacheSize.Tokens(20_000))
                .maxBatch(4)
                .maxQueue(3)
                .build();
        this.server = TelechatServer.start(options, "test", () -> ChatModel.load(model, load));
    }

    /** One that thinks before it answers, for 30 tokens if nobody asks for more or less. */
    static Served thinking(Path directory) throws IOException {
        Path model = TinyModels.makeThinking(directory, "thinking", 4);
        return new Served(model, List.of(), LoadOptions.builder().maxThinkingTokens(30));
    }

    String url() {
        return server.url();
    }

    int port() {
        return server.port();
    }

    TelechatServer server() {
        return server;
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + path)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    HttpRequest posting(String path, String body) {
        return HttpRequest.newBuilder(URI.create(url() + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return client.send(posting(path, body), HttpResponse.BodyHandlers.ofString());
    }

    /** A gauge or counter without its labels. */
    double metric(String name) throws IOException, InterruptedException {
        return get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** Waits until a gauge has a value, for some seconds. */
    boolean becomes(String name, double value) throws IOException, InterruptedException {
        for (int i = 0; i < 500; i++) {
            if (metric(name) == value) {
                return true;
            }
            Thread.sleep(20);
        }
        return false;
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
