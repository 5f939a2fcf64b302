// SPDX-License-Identifier: Apache-2.0
package io.telechat.server;

import io.telechat.infer.ChatModel;
import io.telechat.server.api.Gatekeeper;
import io.telechat.server.api.Page;
import io.telechat.server.api.Router;
import io.telechat.server.api.ServedModels;
import io.telechat.server.api.ServerMetrics;
import io.telechat.server.http.HttpLimits;
import io.telechat.server.http.HttpServer;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A model behind the API of OpenAI. It listens before the model is loaded, so that who asks meanwhile is told so:
 *
 * <pre>{@code
 * try (TelechatServer server = TelechatServer.start(options, "0.1.0", () -> ChatModel.load(directory))) {
 *     System.out.println(server.url());
 *     …
 * }
 * }</pre>
 */
public final class TelechatServer implements AutoCloseable {
    private final HttpServer http;
    private final Router router;
    private final ChatModel model;
    private final String host;

    private TelechatServer(HttpServer http, Router router, ChatModel model, String host) {
        this.http = http;
        this.router = router;
        this.model = model;
        this.host = host;
    }

    /**
     * Listens, loads, and returns when requests are answered.
     *
     * @param version of the program, which it tells
     * @param load gives the model, which this closes
     * @throws io.telechat.core.InvalidRequestException if it cannot listen there
     */
    public static TelechatServer start(ServerOptions options, String version, Supplier<ChatModel> load) {
        Set<String> hosts = new HashSet<>();
        options.allowedHosts().forEach(name -> hosts.add(name.toLowerCase(Locale.ROOT)));
        hosts.add(inUrl(options.host()).toLowerCase(Locale.ROOT));
        Gatekeeper gatekeeper = new Gatekeeper(hosts, options.keys());
        Router router = new Router(gatekeeper, options.page() ? Optional.of(new Page()) : Optional.empty(), version);
        HttpServer http = new HttpServer(
                new InetSocketAddress(options.host(), options.port()), router, HttpLimits.standard(options.maxBody()));
        try {
            ChatModel model = load.get();
            model.chatTokenizer(); // without which nothing can be served
            ServedModels models = new ServedModels(model, options.modelName(), options.adapterNames());
            router.ready(models, new ServerMetrics(model.engine(), options.modelName()), options.requestTimeout());
            return new TelechatServer(http, router, model, options.host());
        } catch (RuntimeException | Error e) {
            http.close();
            throw e;
        }
    }

    private static String inUrl(String host) {
        return host.contains(":") ? "[" + host + "]" : host;
    }

    /** Where it listens. */
    public String url() {
        return "http://" + inUrl(host) + ":" + http.port();
    }

    public int port() {
        return http.port();
    }

    /** Takes no new work, and waits until all answers under way have ended, at most so long. */
    public void drain(Duration patience) {
        router.drain();
        http.drain(patience);
    }

    /** Ends everything at once. */
    @Override
    public void close() {
        http.close();
        model.close();
    }
}
