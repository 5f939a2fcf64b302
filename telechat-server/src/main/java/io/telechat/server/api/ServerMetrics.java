// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.telechat.infer.engine.Engine;
import io.telechat.infer.engine.EngineStats;
import io.telechat.infer.generation.Generation;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** What Prometheus is told: the metrics of vLLM under {@code telechat_}, so that dashboards carry over. */
public final class ServerMetrics {
    private static final Duration[] BUCKETS = Stream.of(
                    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 300_000,
                    1_000_000)
            .map(Duration::ofMillis)
            .toArray(Duration[]::new);

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Tags tags;
    private final Timer timeToFirstToken;
    private final Timer interTokenLatency;
    private final Timer endToEnd;
    private final Timer queue;
    private final Timer prefill;
    private final Timer decode;
    private final Map<String, Counter> finished = new HashMap<>();

    /** @param modelName label of all of them */
    public ServerMetrics(Engine engine, String modelName) {
        this.tags = Tags.of("model_name", modelName);
        gauge("telechat.num.requests.running", engine, EngineStats::running);
        gauge("telechat.num.requests.waiting", engine, EngineStats::waiting);
        gauge("telechat.kv.cache.usage.perc", engine, stats -> (double) stats.blocksUsed() / stats.blocks());
        counter("telechat.num.preemptions", engine, EngineStats::preemptions);
        counter("telechat.prompt.tokens", engine, EngineStats::promptTokens);
        counter("telechat.generation.tokens", engine, EngineStats::generatedTokens);
        counter("telechat.prefix.cache.queries", engine, EngineStats::prefixQueries);
        counter("telechat.prefix.cache.hits", engine, EngineStats::prefixHits);
        counter("telechat.iterations", engine, EngineStats::steps);
        counter("telechat.iteration.tokens", engine, EngineStats::computedTokens);
        counter("telechat.spec.decode.draft.tokens", engine, EngineStats::draftedTokens);
        counter("telechat.spec.decode.accepted.tokens", engine, EngineStats::acceptedTokens);
        Gauge.builder("telechat.cache.config.info", () -> 1)
                .tags(tags.and(
                        "num_blocks", Integer.toString(engine.options().blocks()),
                        "cache_dtype", engine.options().cacheType().toString(),
                        "max_model_len", Integer.toString(engine.options().contextLength()),
                        "max_num_seqs", Integer.toString(engine.options().maxBatch())))
                .register(registry);
        this.timeToFirstToken = timer("telechat.time.to.first.token");
        this.interTokenLatency = timer("telechat.inter.token.latency");
        this.endToEnd = timer("telechat.e2e.request.latency");
        this.queue = timer("telechat.request.queue.time");
        this.prefill = timer("telechat.request.prefill.time");
        this.decode = timer("telechat.request.decode.time");
        for (String reason : List.of("stop", "length", "abort", "error")) {
            finished.put(
                    reason,
                    Counter.builder("telechat.request.success")
                            .tags(tags.and("finished_reason", reason))
                            .register(registry));
        }
        new JvmMemoryMetrics(tags).bindTo(registry);
        new ProcessorMetrics(tags).bindTo(registry);
        new UptimeMetrics(tags).bindTo(registry);
    }

    private void gauge(String name, Engine engine, ToDoubleFunction<EngineStats> value) {
        Gauge.builder(name, engine, e -> value.applyAsDouble(e.stats()))
                .tags(tags)
                .register(registry);
    }

    private void counter(String name, Engine engine, ToDoubleFunction<EngineStats> value) {
        FunctionCounter.builder(name, engine, e -> value.applyAsDouble(e.stats()))
                .tags(tags)
                .register(registry);
    }

    private Timer timer(String name) {
        return Timer.builder(name).tags(tags).serviceLevelObjectives(BUCKETS).register(registry);
    }

    JobMetrics job(int sequences) {
        return new JobMetrics(this, sequences);
    }

    void timeToFirstToken(long nanos) {
        timeToFirstToken.record(nanos, TimeUnit.NANOSECONDS);
    }

    void interTokenLatency(long nanos) {
        interTokenLatency.record(nanos, TimeUnit.NANOSECONDS);
    }

    void finished(String reason, long nanos, Generation.Timings timings) {
        endToEnd.record(nanos, TimeUnit.NANOSECONDS);
        queue.record(seconds(timings.queueSeconds()));
        prefill.record(seconds(timings.promptSeconds()));
        decode.record(seconds(timings.generationSeconds()));
        finished.get(reason).increment();
    }

    private static Duration seconds(double seconds) {
        return Duration.ofNanos((long) (seconds * 1e9));
    }

    void failed() {
        finished.get("error").increment();
    }

    /** In Prometheus's text format. */
    String text() {
        return registry.scrape();
    }
}
