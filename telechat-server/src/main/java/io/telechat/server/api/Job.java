// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import io.telechat.infer.engine.Engine;
import io.telechat.infer.engine.EngineListener;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.server.http.HttpExchange;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The sequences of one request in the engine. What comes of them waits in a queue for the request's own thread. They are cancelled
 * when the client leaves or reads too slowly, when time is up, and when this is closed before they have ended.
 */
final class Job implements EngineListener, AutoCloseable {
    /** Bytes of a stream that may wait for its client. */
    private static final long MOST_WAITING = 2 << 20;

    private static final int CHUNK_BYTES = 250;
    private static final int ALTERNATIVE_BYTES = 70;

    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final JobMetrics metrics;
    private final HttpExchange exchange;
    private final Optional<Long> deadline;
    private final AtomicLong waiting = new AtomicLong();
    private volatile Engine.Ticket ticket = () -> {};
    private int unfinished;
    private volatile boolean left;

    /** What comes of a sequence. */
    sealed interface Event {}

    record Prompt(int index, List<Generation.TokenLogprob> logprobs) implements Event {}

    record Token(int index, TokenEvent event) implements Event {}

    record Embedded(int index, float[] vector) implements Event {}

    record Finished(int index, Generation generation) implements Event {}

    record Failed(RuntimeException failure) implements Event {}

    /** Nothing has come for a while. */
    record Silence() implements Event {}

    private Job(HttpExchange exchange, Optional<Duration> timeout, ServerMetrics metrics, int sequences) {
        this.exchange = exchange;
        this.metrics = metrics.job(sequences);
        this.deadline = timeout.map(time -> System.nanoTime() + time.toNanos());
        this.unfinished = sequences;
    }

    /** @throws RuntimeException if one of them cannot be, or too many wait */
    static Job start(
            Engine engine,
            List<Request> requests,
            HttpExchange exchange,
            Optional<Duration> timeout,
            ServerMetrics metrics) {
        Job job = new Job(exchange, timeout, metrics, requests.size());
        job.ticket = engine.submit(requests, job);
        exchange.onLeave(() -> {
            job.left = true;
            job.ticket.cancel();
        });
        return job;
    }

    /**
     * Waits for what comes next, at most so long.
     *
     * @throws ApiException if time is up, or the engine has been closed
     */
    Event next(Duration patience) {
        long wait = patience.toNanos();
        if (deadline.isPresent()) {
            wait = Math.min(wait, Math.max(0, deadline.get() - System.nanoTime()));
        }
        Event event;
        try {
            event = events.poll(wait, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        if (event == null && deadline.isPresent() && System.nanoTime() >= deadline.get()) {
            throw new ApiException(
                    504, "timeout_error", null, "timeout", "the answer took longer than this server allows");
        }
        switch (event) {
            case Finished finished -> {
                unfinished--;
                if (finished.generation().finishReason() == FinishReason.CANCELLED && !left) {
                    throw ApiException.unavailable("the server is about to end");
                }
            }
            case Failed failed -> unfinished--;
            case Token token -> waiting.addAndGet(-bytes(token.event()));
            case null, default -> {}
        }
        return event == null ? new Silence() : event;
    }

    /** Whether there is more to come. */
    boolean isRunning() {
        return unfinished > 0;
    }

    /** Whether the client has left, so that the answers are cut short. */
    boolean hasLeft() {
        return left;
    }

    @Override
    public void promptLogprobs(int index, List<Generation.TokenLogprob> logprobs) {
        events.add(new Prompt(index, logprobs));
    }

    @Override
    public void token(int index, TokenEvent event) {
        if (!event.isRest()) {
            metrics.token(index);
        }
        events.add(new Token(index, event));
        if (waiting.addAndGet(bytes(event)) > MOST_WAITING) {
            ticket.cancel();
            exchange.abort(); // whoever writes is waiting for a client that does not read fast enough
        }
    }

    /** What a token comes to in a stream, about. */
    private static long bytes(TokenEvent event) {
        return CHUNK_BYTES
                + event.logprob()
                        .map(l -> ALTERNATIVE_BYTES * (1L + l.alternatives().size()))
                        .orElse(0L);
    }

    @Override
    public void embedded(int index, float[] vector) {
        events.add(new Embedded(index, vector));
    }

    @Override
    public void finished(int index, Generation generation) {
        metrics.finished(
                generation.finishReason() == FinishReason.CANCELLED
                        ? "abort"
                        : generation.finishReason().lowerCase(),
                generation.timings());
        events.add(new Finished(index, generation));
    }

    @Override
    public void failed(int index, RuntimeException failure) {
        metrics.failed();
        events.add(new Failed(failure));
    }

    @Override
    public void close() {
        if (unfinished > 0) {
            ticket.cancel();
        }
    }
}
