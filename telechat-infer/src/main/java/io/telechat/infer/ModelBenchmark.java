// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.model.CausalLm;
import io.telechat.core.ops.KvCache;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.infer.sampling.Sampler;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Times a model's two kinds of work: reading a prompt, and generating tokens for one or several sequences at once. */
public final class ModelBenchmark {
    private static final int FIRST_PROMPT = 8;

    private final CausalLm model;
    private final ModelRunner runner;
    private final DType cacheType;
    private final int runs;

    /** @param runs timed runs of each kind of work; one more before them warms up */
    public ModelBenchmark(ChatModel model, int runs) {
        this.model = model.decoder();
        this.runner = model.runner();
        this.cacheType = model.cacheType();
        this.runs = runs;
    }

    /** Tokens per second of several runs. */
    public record Rate(double median, double min, double max) {
        static Rate of(double[] rates) {
            double[] sorted = rates.clone();
            Arrays.sort(sorted);
            int n = sorted.length;
            double median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
            return new Rate(median, sorted[0], sorted[n - 1]);
        }
    }

    /**
     * Reads a prompt of 8 tokens, for the first token of its answer. To be called before anything else, while all is cold.
     *
     * @return seconds since this process was started
     */
    public double firstToken() {
        try (KvCache cache = model.newCache(cacheType)) {
            runner.feed(prompt(FIRST_PROMPT), cache, new Cancellation());
        }
        return ManagementFactory.getRuntimeMXBean().getUptime() / 1e3;
    }

    /**
     * Reads a prompt of so many tokens into an empty cache, whose memory the first run, which does not count, has touched: on a
     * virtual machine that can cost more than to fill it.
     */
    public Rate prefill(int tokens) {
        double[] rates = new double[runs];
        try (KvCache cache = model.newCache(cacheType)) {
            for (int run = -1; run < runs; run++) {
                cache.truncate(0);
                long start = System.nanoTime();
                runner.feed(prompt(tokens), cache, new Cancellation());
                if (run >= 0) {
                    rates[run] = tokens / ((System.nanoTime() - start) / 1e9);
                }
            }
        }
        return Rate.of(rates);
    }

    /**
     * Generates greedily.
     *
     * @param batch sequences at once; the rate is the sum over them
     * @param depth tokens in each cache before
     * @param tokens tokens that each generates
     */
    public Rate decode(int batch, int depth, int tokens) {
        double[] rates = new double[runs];
        List<KvCache> caches = new ArrayList<>();
        try (TensorArena arena = model.backend().memory().newArena()) {
            Tensor logits = arena.allocate(DType.F32, batch, model.config().vocabSize());
            for (int i = 0; i < batch; i++) {
                caches.add(model.newCache(cacheType));
            }
            for (int run = -1; run < runs; run++) {
                double seconds = decodeOnce(caches, depth, tokens, logits);
                if (run >= 0) {
                    rates[run] = batch * tokens / seconds;
                }
            }
        } finally {
            caches.forEach(KvCache::close);
        }
        return Rate.of(rates);
    }

    private double decodeOnce(List<KvCache> caches, int depth, int tokens, Tensor logits) {
        for (KvCache cache : caches) {
            cache.truncate(0);
            runner.feed(prompt(depth), cache, new Cancellation());
        }
        int[] next = prompt(caches.size());
        long start = System.nanoTime();
        for (int step = 0; step < tokens; step++) {
            runner.feedEach(next, caches, logits);
            Tensor host = model.backend().memory().toHost(logits);
            for (int i = 0; i < next.length; i++) {
                next[i] = Sampler.argmax(host.rows(i, i + 1).toFloats());
            }
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private int[] prompt(int tokens) {
        int[] ids = new int[tokens];
        for (int i = 0; i < tokens; i++) {
            ids[i] = (int) ((i * 7919L + 13) % model.config().vocabSize());
        }
        return ids;
    }

    /** What the machine can do at most, where the backend can measure it. */
    public Optional<MachineLimits> limits() {
        return model.backend().measureLimits();
    }

    /** Threads of all parts. */
    public int threads() {
        return model.parts() * model.backend().workers().size();
    }

    /** Bytes of the weights that a step reads; of a model in parts, as if all were as large as the first. */
    public long weightBytes() {
        return model.parts() * model.activeBytes();
    }

    /** Parameters that every token is multiplied with: all but the embedding table, unless it is the head as well. */
    public long activeParameters() {
        ModelConfig config = model.config();
        return config.parameters() - (config.tiedHead() ? 0 : (long) config.vocabSize() * config.hidden());
    }

    /** Bytes of keys and values that a step reads for each sequence, at this many cached positions. */
    public long cacheBytes(int positions) {
        return positions
                * KvCache.bytesPerPosition(
                        model.config().layers(), model.config().heads(), cacheType);
    }
}
