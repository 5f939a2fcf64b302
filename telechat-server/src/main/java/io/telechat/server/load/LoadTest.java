// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Asks a server for much at once, and times what comes. */
public final class LoadTest implements AutoCloseable {
    /** Text of many different tokens. */
    private static final String TEXT =
            "The quick brown fox jumps over the lazy dog; 0123456789 sphinxes of black quartz judge my vow. 中国电信星辰大模型";

    private final ApiClient client;

    public LoadTest(String url, Optional<String> key) {
        this.client = new ApiClient(url, key);
    }

    /** The first model that the server has. */
    public String model() {
        JsonNode id = client.get("/v1/models").path("data").path(0).path("id");
        if (!id.isTextual()) {
            throw new InvalidRequestException("the server names no model");
        }
        return id.textValue();
    }

    /** Tokens of the server's model that prompts can be made of. */
    public int[] tokens(String model) {
        JsonNode asked =
                JsonNodeFactory.instance.objectNode().put("model", model).put("prompt", TEXT);
        JsonNode ids = client.post("/tokenize", asked).path("tokens");
        return ids.valueStream().mapToInt(JsonNode::intValue).distinct().toArray();
    }

    /** A request that is sent and whose answer is not timed: what is cold becomes warm. */
    public void warmUp(LoadRequest request) {
        try {
            client.stream(request);
        } catch (IOException e) {
            throw new InvalidRequestException("the server does not answer as it should: %s", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Each of so many workers sends its next request when the last one has been answered. */
    public LoadReport closedLoop(List<LoadRequest> requests, int workers) throws InterruptedException {
        AtomicInteger next = new AtomicInteger();
        return run("concurrency " + workers, workers, requests.size(), (number, round) -> {
            for (int i = next.getAndIncrement(); i < requests.size(); i = next.getAndIncrement()) {
                round.send(requests.get(i));
            }
        });
    }

    /** Requests come at a rate, whatever the server makes of them, at even distances. */
    public LoadReport openLoop(List<LoadRequest> requests, double perSecond) throws InterruptedException {
        long start = System.nanoTime();
        return run("rate " + perSecond, requests.size(), requests.size(), (number, round) -> {
            long at = start + (long) (number / perSecond * 1e9);
            TimeUnit.NANOSECONDS.sleep(at - System.nanoTime());
            round.send(requests.get(number));
        });
    }

    /** What a worker does. */
    private interface Work {
        void run(int number, Round round) throws InterruptedException;
    }

    private final class Round {
        private final List<Timing> timings = Collections.synchronizedList(new ArrayList<>());
        private final List<String> errors = Collections.synchronizedList(new ArrayList<>());

        void send(LoadRequest request) throws InterruptedException {
            try {
                timings.add(client.stream(request));
            } catch (IOException e) {
                errors.add(String.valueOf(e.getMessage()));
            }
        }
    }

    private LoadReport run(String load, int workers, int requests, Work work) throws InterruptedException {
        Round round = new Round();
        long start = System.nanoTime();
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < Math.min(workers, requests); i++) {
                int number = i;
                pool.submit(() -> {
                    work.run(number, round);
                    return null;
                });
            }
        }
        return LoadReport.of(load, round.timings, round.errors, (System.nanoTime() - start) / 1e9);
    }

    @Override
    public void close() {
        client.close();
    }
}
