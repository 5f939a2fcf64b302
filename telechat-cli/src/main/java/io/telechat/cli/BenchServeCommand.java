// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.server.load.LoadReport;
import io.telechat.server.load.LoadRequest;
import io.telechat.server.load.LoadTest;
import io.telechat.server.load.RequestSets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat bench-serve}. */
@Command(
        name = "bench-serve",
        description = "Measure a running server: throughput, time to the first token, gaps between tokens.",
        mixinStandardHelpOptions = true)
final class BenchServeCommand implements Callable<Integer> {
    @Parameters(paramLabel = "URL", description = "address of the server, such as http://127.0.0.1:8000")
    private String url;

    @Option(
            names = "--set",
            paramLabel = "KIND",
            description = "requests to make: chat (128 tokens in, 128 out), document (2,048 in, 64 out), shared (1,024"
                    + " alike and 64 in, 128 out), mixed (default: chat)")
    private String kind = "chat";

    @Option(
            names = "--requests",
            paramLabel = "FILE",
            description = "send the requests in this file instead, one JSON object per line")
    private Optional<Path> file = Optional.empty();

    @Option(
            names = "--concurrency",
            split = ",",
            paramLabel = "N",
            description = "requests under way at once, a round for each number (default: 1,4,16,64)")
    private List<Integer> concurrency = List.of(1, 4, 16, 64);

    @Option(
            names = "--rate",
            paramLabel = "R",
            description = "send R requests a second instead, whatever becomes of them")
    private Optional<Double> rate = Optional.empty();

    @Option(
            names = "--per-worker",
            paramLabel = "N",
            description = "requests for each of those at once; with --rate, in all (default: 8)")
    private int perWorker = 8;

    @Option(names = "--model", paramLabel = "NAME", description = "model to ask for (default: the server's first)")
    private Optional<String> model = Optional.empty();

    @Option(names = "--api-key", paramLabel = "KEY", description = "key to send (default: $TELECHAT_API_KEY)")
    private Optional<String> apiKey = Optional.empty();

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws InterruptedException {
        Positive.check("--per-worker", perWorker);
        concurrency.forEach(n -> Positive.check("--concurrency", n));
        if (rate.isPresent() && !(rate.get() > 0)) {
            throw new InvalidRequestException("--rate is %s, must be above 0", rate.get());
        }
        Optional<String> key = apiKey.or(() -> Optional.ofNullable(System.getenv("TELECHAT_API_KEY")));
        try (LoadTest test = new LoadTest(url, key)) {
            String name = model.orElseGet(test::model);
            IntFunction<List<LoadRequest>> requests = requests(test, name);
            List<LoadReport> reports = new ArrayList<>();
            test.warmUp(requests.apply(1).getFirst());
            if (rate.isPresent()) {
                reports.add(test.openLoop(requests.apply(perWorker), rate.get()));
                say(reports.getLast());
            } else {
                for (int workers : concurrency) {
                    reports.add(test.closedLoop(requests.apply(workers * perWorker), workers));
                    say(reports.getLast());
                }
            }
            if (json) {
                System.out.println(Json.line(report(name, reports)));
            }
            return reports.stream().anyMatch(r -> r.errors() > 0) ? ExitCode.INTERNAL : ExitCode.OK;
        }
    }

    /** Gives as many requests as are wanted. */
    private IntFunction<List<LoadRequest>> requests(LoadTest test, String name) {
        if (file.isEmpty()) {
            int[] tokens = test.tokens(name);
            return count -> RequestSets.make(kind, name, tokens, count);
        }
        List<LoadRequest> read = RequestSets.read(file.get());
        return count -> IntStream.range(0, count)
                .mapToObj(i -> read.get(i % read.size()))
                .toList();
    }

    private void say(LoadReport report) {
        if (!json) {
            System.out.printf(
                    Locale.ROOT,
                    "%s: %.1f tokens/s, %.2f requests/s; first token %.3f s (p99 %.3f), gap %.1f ms (p99 %.1f), whole"
                            + " %.2f s (p99 %.2f)%n",
                    report.load(),
                    report.tokensPerSecond(),
                    report.requestsPerSecond(),
                    report.timeToFirstToken().p50(),
                    report.timeToFirstToken().p99(),
                    1e3 * report.gap().p50(),
                    1e3 * report.gap().p99(),
                    report.total().p50(),
                    report.total().p99());
        }
        if (report.errors() > 0) {
            System.err.println("telechat: "
                    + Message.localized("%d requests failed; the first: %s", report.errors(), report.firstError()));
        }
    }

    private ObjectNode report(String name, List<LoadReport> reports) {
        ObjectNode all = Json.object();
        all.put("url", url);
        all.put("model", name);
        all.put("set", file.map(Path::toString).orElse(kind));
        ArrayNode rounds = all.putArray("rounds");
        for (LoadReport report : reports) {
            ObjectNode round = rounds.addObject();
            round.put("load", report.load());
            round.put("requests", report.requests());
            round.put("errors", report.errors());
            round.put("seconds", report.seconds());
            round.put("output_tok_s", report.tokensPerSecond());
            round.put("requests_s", report.requestsPerSecond());
            put(round, "ttft", report.timeToFirstToken());
            put(round, "gap", report.gap());
            put(round, "e2e", report.total());
        }
        return all;
    }

    private static void put(ObjectNode round, String name, LoadReport.Percentiles values) {
        round.put(name + "_p50_s", values.p50());
        round.put(name + "_p99_s", values.p99());
    }
}
