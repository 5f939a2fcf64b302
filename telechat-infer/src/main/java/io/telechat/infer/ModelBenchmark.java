// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.model.CausalLm;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.infer.engine.Engine;
import io.telechat.infer.engine.EngineListener;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Times a model's two kinds of work: reading a prompt, and generating tokens for one or several sequences at once. */
public final class ModelBenchmark {
    private static final int FIRST_PROMPT = 8;

    private final CausalLm model;
    private final Engine engine;
    private final DType cacheType;
    private final int runs;
    private int prompts;

    /** @param runs timed runs of each kind of work; one more before them warms up */
    public ModelBenchmark(ChatModel model, int runs) {
        this.model = model.decoder();
        this.engine = model.engine();
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
        readPrompt(FIRST_PROMPT);
        return ManagementFactory.getRuntimeMXBean().getUptime() / 1e3;
    }

    /**
     * Reads a prompt of so many tokens. The first run, which does not count, has touched the memory of its keys and values: on a
     * virtual machine that can cost more than to fill it.
     */
    public Rate prefill(int tokens) {
        double[] rates = new double[runs];
        for (int run = -1; run < runs; run++) {
            double seconds = readPrompt(tokens);
            if (run >= 0) {
                rates[run] = tokens / seconds;
            }
        }
        return Rate.of(rates);
    }

    private double readPrompt(int tokens) {
        return generate(request(tokens, 1)).timings().promptSeconds();
    }

    private Generation generate(Request request) {
        Decoding decoding = new Decoding(1, 0);
        engine.submit(List.of(request), decoding);
        return decoding.await().getFirst();
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
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            // One more for those that begin before the last.
            Request request = request(depth, tokens + batch + 1);
            requests.add(request);
            generate(request.withOptions(request.options().withMaxNewTokens(1))); // from now on, its prompt is there
        }
        for (int run = -1; run < runs; run++) {
            Decoding decoding = new Decoding(batch, tokens);
            Engine.Ticket ticket = engine.submit(requests, decoding);
            double seconds = decoding.awaitTokens();
            ticket.cancel();
            decoding.await();
            if (run >= 0) {
                rates[run] = batch * tokens / seconds;
            }
        }
        return Rate.of(rates);
    }

    /** What all sequences of a run generate together, once the last of them has begun. */
    private static final class Decoding implements EngineListener {
        private final int sequences;
        private final int tokens;
        private final int[] counts;
        private final List<Generation> ended = new ArrayList<>();
        private RuntimeException failure;
        private int begun;
        private long start;
        private long end;

        Decoding(int sequences, int tokens) {
            this.sequences = sequences;
            this.tokens = tokens;
            this.counts = new int[sequences];
        }

        @Override
        public synchronized void token(int index, TokenEvent event) {
            begun += counts[index] == 0 ? 1 : 0;
            counts[index]++;
            if (begun == sequences && start == 0) {
                start = System.nanoTime();
                Arrays.fill(counts, 1);
            }
            boolean all = start != 0 && Arrays.stream(counts).allMatch(count -> count > tokens);
            if (all && end == 0) {
                end = System.nanoTime();
                notifyAll();
            }
        }

        @Override
        public synchronized void finished(int index, Generation generation) {
            ended.add(generation);
            notifyAll();
        }

        @Override
        public synchronized void failed(int index, RuntimeException e) {
            failure = e;
            notifyAll();
        }

        /** Seconds that all together took for their tokens. */
        synchronized double awaitTokens() {
            waitFor(() -> end != 0);
            return (end - start) / 1e9;
        }

        synchronized List<Generation> await() {
            waitFor(() -> ended.size() == sequences);
            return ended;
        }

        private void waitFor(BooleanSupplier done) {
            try {
                while (!done.getAsBoolean() && failure == null) {
                    wait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
            if (failure != null) {
                throw failure;
            }
        }
    }

    /** Shares its beginning with no other. */
    private Request request(int promptTokens, int tokens) {
        int[] ids = new int[promptTokens];
        for (int i = 0; i < promptTokens; i++) {
            ids[i] = (int) ((i * 7919L + 13) % model.config().vocabSize());
        }
        GenerationOptions options = GenerationOptions.greedy().withMaxNewTokens(tokens);
        return Request.of(ids, options).withSalt(Integer.toString(prompts++));
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
        return positions * new KvLayout(model.config().layers(), model.config().heads(), cacheType).bytesPerPosition();
    }
}
