// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.model.CausalLm;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.engine.Scheduler.Chunk;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.grammar.GrammarTokens;
import io.telechat.infer.grammar.TokenConstraint;
import io.telechat.infer.sampling.LogitBias;
import io.telechat.infer.sampling.LogitsProcessor;
import io.telechat.infer.sampling.MinTokens;
import io.telechat.infer.sampling.Sampler;
import io.telechat.infer.sampling.VocabularyMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Generates for many at once (continuous batching: Yu et al. 2022, Orca). {@link #step} is the loop: schedule, run, sample,
 * advance. What comes of a sequence depends on its request alone, to the bit: not on what is computed beside it, on when it is
 * admitted or preempted, or on what the prefix cache has of it; as far as the backend gives the same bits for any batch, as {@code
 * cpu} does.
 *
 * <p>Thread-safe. One thread of its own drives the steps; it sleeps while there is nothing to do.
 */
public final class BatchingEngine implements Engine, AutoCloseable {
    private final CausalLm model;
    private final Optional<Tokenizer> tokenizer;
    private final EngineOptions options;
    private final VocabularyMask vocabulary;
    private final Optional<GrammarTokens> grammarTokens;
    private final BlockPool pool;
    private final StepRunner runner;

    /** Guards what is between here and {@code inbox}, and the model; held during a step. */
    private final ReentrantLock computing = new ReentrantLock(true);

    private final Scheduler scheduler;
    private long promptTokens;
    private long generatedTokens;
    private long steps;
    private long computedTokens;
    private long draftedTokens;
    private long acceptedTokens;

    /** Guards what is below; held for a moment only. */
    private final ReentrantLock inbox = new ReentrantLock();

    private final Condition work = inbox.newCondition();
    private final List<Sequence> arrived = new ArrayList<>();
    private boolean awake;
    private boolean started;
    private boolean closed;
    private volatile EngineStats stats;

    /** @param tokenizer without which answers have no text */
    public BatchingEngine(CausalLm model, Optional<Tokenizer> tokenizer, EngineOptions options) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.options = options;
        this.vocabulary = vocabulary(model, tokenizer);
        this.grammarTokens = tokenizer.map(GrammarTokens::new);
        this.pool = model.newPool(options.cacheType(), options.blocks());
        this.runner = new StepRunner(model);
        this.scheduler = new Scheduler(model, pool, options.maxBatch());
        publish();
    }

    /** Ids that may be drawn: those that both model and tokenizer have. */
    private static VocabularyMask vocabulary(CausalLm model, Optional<Tokenizer> tokenizer) {
        int size = Math.min(
                model.config().vocabSize(), tokenizer.map(Tokenizer::size).orElse(Integer.MAX_VALUE));
        int[] gaps = IntStream.range(0, size)
                .filter(id -> tokenizer.isPresent() && !tokenizer.get().has(id))
                .toArray();
        return new VocabularyMask(size, gaps);
    }

    @Override
    public EngineOptions options() {
        return options;
    }

    @Override
    public EngineStats stats() {
        return stats;
    }

    @Override
    public Ticket submit(List<Request> requests, EngineListener listener) {
        requests.forEach(this::check);
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            Sequence first = sequences.isEmpty() ? null : sequences.getFirst();
            boolean shares = first != null && sharesPrompt(first.request(), requests.get(i));
            sequences.add(sequence(requests.get(i), listener, i, shares ? first : null));
        }
        inbox.lock();
        try {
            requireOpen();
            int queued = arrived.size() + stats.waiting();
            int free = Math.max(0, options.maxBatch() - stats.running());
            if (queued + sequences.size() > options.maxQueue() + free) {
                throw new QueueFullException(queued);
            }
            arrived.addAll(sequences);
            start();
            wake();
        } finally {
            inbox.unlock();
        }
        return () -> {
            sequences.forEach(Sequence::cancel);
            wake();
        };
    }

    private static boolean sharesPrompt(Request first, Request other) {
        return first.adapter() == other.adapter()
                && first.salt().equals(other.salt())
                && Arrays.equals(first.prompt(), other.prompt());
    }

    private void check(Request request) {
        GenerationOptions asked = request.options();
        if (!asked.stopStrings().isEmpty() && tokenizer.isEmpty()) {
            throw new InvalidRequestException("stop strings need a tokenizer; give stop tokens instead");
        }
        if (request.grammar().isPresent() && tokenizer.isEmpty()) {
            throw new InvalidRequestException("an answer of a given form needs a tokenizer");
        }
        checkIds(request.prompt());
        int room = request.embedding() ? 0 : 1;
        if (request.prompt().length + room > options.contextLength()) {
            throw new ContextOverflowException(request.prompt().length, options.contextLength(), Message.of(""));
        }
    }

    /** @throws InvalidRequestException unless a model can be fed with them */
    public void checkIds(int... ids) {
        if (ids.length == 0) {
            throw new InvalidRequestException("the prompt is empty: there is nothing to continue");
        }
        for (int id : ids) {
            if (id < 0 || id >= model.config().vocabSize()) {
                throw new InvalidRequestException(
                        "token id %d is not in the model's vocabulary of %,d",
                        id, model.config().vocabSize());
            }
        }
    }

    private Sequence sequence(Request request, EngineListener listener, int index, Sequence leader) {
        GenerationOptions asked = request.options();
        int room = options.contextLength() - request.prompt().length;
        Optional<TokenConstraint> constraint =
                request.grammar().map(grammar -> grammarTokens.get().constraint(grammar, asked.stopIds()));
        return new Sequence(
                request,
                listener,
                index,
                leader,
                model.config().rope(),
                pool,
                Sampler.of(asked.sampling(), vocabulary, asked.seed(), processors(asked, constraint)),
                constraint,
                new Answer(asked, tokenizer, event -> listener.token(index, event)),
                Math.min(room, asked.maxNewTokens().orElse(Integer.MAX_VALUE)));
    }

    /** Rules of the request, besides its sampling. */
    private static List<LogitsProcessor> processors(GenerationOptions asked, Optional<TokenConstraint> constraint) {
        List<LogitsProcessor> processors = new ArrayList<>();
        if (!asked.logitBias().isEmpty()) {
            processors.add(new LogitBias(asked.logitBias()));
        }
        if (asked.minNewTokens() > 0) {
            processors.add(new MinTokens(asked.minNewTokens(), asked.stopIds()));
        }
        constraint.ifPresent(processors::add);
        return processors;
    }

    /** Computes something else with the model, between two steps. */
    public <T> T alone(Supplier<T> task) {
        computing.lock();
        try {
            requireOpen();
            return task.get();
        } finally {
            computing.unlock();
        }
    }

    private void requireOpen() {
        inbox.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the model is closed");
            }
        } finally {
            inbox.unlock();
        }
    }

    private void start() {
        if (!started) {
            started = true;
            Thread.ofPlatform().daemon().name("telechat-engine").start(this::run);
        }
    }

    private void wake() {
        inbox.lock();
        try {
            awake = true;
            work.signal();
        } finally {
            inbox.unlock();
        }
    }

    /** Waits until there may be something to do; false if there never will be again. */
    private boolean awaitWork() {
        inbox.lock();
        try {
            while (!awake && !closed) {
                work.awaitUninterruptibly();
            }
            awake = false;
            return !closed;
        } finally {
            inbox.unlock();
        }
    }

    private void run() {
        while (awaitWork()) {
            while (stepAlone()) {
                // The lock is fair: who waits to compute something else gets it between two steps.
            }
        }
    }

    private boolean stepAlone() {
        computing.lock();
        try {
            return step();
        } catch (RuntimeException | Error e) {
            takeIn();
            List<Sequence> all = new ArrayList<>(scheduler.running());
            all.addAll(scheduler.waiting());
            scheduler.waiting().clear();
            all.forEach(sequence -> fail(sequence, failure(e)));
            return false;
        } finally {
            computing.unlock();
        }
    }

    /** One pass through the model for all that can share it; false if there is nothing to compute. */
    private boolean step() {
        takeIn();
        List<Chunk> chunks = scheduler.schedule();
        publish();
        if (chunks.isEmpty()) {
            return false;
        }
        long start = System.nanoTime();
        try {
            StepRunner.Output output = runner.run(chunks);
            output.hidden().forEach(this::embed);
            sample(chunks, output.logits());
        } catch (RuntimeException | Error e) {
            chunks.forEach(chunk -> fail(chunk.sequence(), failure(e)));
        }
        advance(chunks, (System.nanoTime() - start) / 1e9);
        return true;
    }

    private static RuntimeException failure(Throwable e) {
        return e instanceof RuntimeException known ? known : new IllegalStateException(e);
    }

    /** New sequences, and those that have been cancelled. */
    private void takeIn() {
        inbox.lock();
        try {
            scheduler.waiting().addAll(arrived);
            arrived.clear();
            publish();
        } finally {
            inbox.unlock();
        }
        for (List<Sequence> all : List.of(scheduler.running(), scheduler.waiting())) {
            for (Iterator<Sequence> next = all.iterator(); next.hasNext(); ) {
                Sequence sequence = next.next();
                if (sequence.isCancelled()) {
                    next.remove();
                    sequence.answer().end(FinishReason.CANCELLED);
                    leave(sequence);
                }
            }
        }
    }

    /** Draws the next tokens; the team shares the rows. */
    private void sample(List<Chunk> chunks, Tensor logits) {
        int[] first = new int[chunks.size()];
        for (int i = 1; i < first.length; i++) {
            first[i] = first[i - 1] + chunks.get(i - 1).wanted();
        }
        Draw[] draws = new Draw[chunks.size()];
        model.backend().workers().run(draws.length, (i, worker) -> {
            Chunk chunk = chunks.get(i);
            if (chunk.wanted() > 0) {
                draws[i] = Draw.of(chunk, logits.rows(first[i], first[i] + chunk.wanted()));
            }
        });
        for (int i = 0; i < draws.length; i++) {
            if (draws[i] != null) {
                take(chunks.get(i).sequence(), draws[i]);
            }
        }
    }

    private void embed(Sequence sequence, float[] vector) {
        promptTokens += sequence.promptLength();
        sequence.firstToken();
        sequence.answer().end(FinishReason.LENGTH);
        sequence.listener().embedded(sequence.index(), vector);
    }

    private void take(Sequence sequence, Draw draw) {
        if (draw.failure().isPresent()) {
            fail(sequence, draw.failure().get());
            return;
        }
        sequence.promptLogprobs().addAll(draw.promptLogprobs());
        for (Draw.Token token : draw.tokens()) {
            if (sequence.answer().finishReason().isEmpty()) {
                sequence.firstToken();
                promptTokens += sequence.answer().length() == 0 ? sequence.promptLength() : 0;
                generatedTokens++;
                sequence.add(token.id());
                sequence.answer().add(token.id(), token.logprob());
                if (sequence.constraint().filter(TokenConstraint::isComplete).isPresent()) {
                    sequence.answer().end(FinishReason.STOP);
                }
                if (sequence.answer().length() >= sequence.longest()) {
                    sequence.answer().end(FinishReason.LENGTH);
                }
            }
        }
    }

    /** Lets sequences that have ended go, and shows the prefix cache what is new. */
    private void advance(List<Chunk> chunks, double seconds) {
        int decoding = 0;
        int promptRows = 0;
        for (Chunk chunk : chunks) {
            Sequence sequence = chunk.sequence();
            decoding += chunk.decoding() ? 1 : 0;
            promptRows += chunk.decoding() ? 0 : chunk.count();
            computedTokens += chunk.count();
            if (sequence.answer().finishReason().isPresent()) {
                scheduler.running().remove(sequence);
                leave(sequence);
            } else {
                sequence.shared().share(scheduler.prefixes(), !chunk.decoding() && chunk.wanted() > 0);
            }
        }
        steps++;
        scheduler.budget().measured(decoding, promptRows, seconds);
        publish();
    }

    /** A sequence that has ended. */
    private void leave(Sequence sequence) {
        sequence.shared().share(scheduler.prefixes(), true);
        sequence.shared().release(scheduler.prefixes());
        publish();
        sequence.answer().finish();
        sequence.listener().finished(sequence.index(), sequence.generation());
    }

    private void fail(Sequence sequence, RuntimeException failure) {
        if (sequence.answer().finishReason().isEmpty()) {
            sequence.answer().end(FinishReason.CANCELLED);
            scheduler.running().remove(sequence);
            sequence.shared().release(scheduler.prefixes());
            publish();
            sequence.listener().failed(sequence.index(), failure);
        }
    }

    private void publish() {
        stats = new EngineStats(
                scheduler.running().size(),
                scheduler.waiting().size(),
                pool.used(),
                pool.capacity(),
                scheduler.preemptions(),
                promptTokens,
                generatedTokens,
                scheduler.prefixQueries(),
                scheduler.prefixHits(),
                steps,
                computedTokens,
                draftedTokens,
                acceptedTokens);
    }

    /** Ends all sequences and waits for that, then frees the memory; not the model's. */
    @Override
    public void close() {
        computing.lock();
        inbox.lock();
        try {
            if (closed) {
                return;
            }
            takeIn();
            scheduler.running().forEach(Sequence::cancel);
            scheduler.waiting().forEach(Sequence::cancel);
            takeIn();
            closed = true;
            work.signal();
            runner.close();
            pool.close();
        } finally {
            inbox.unlock();
            computing.unlock();
        }
    }
}
