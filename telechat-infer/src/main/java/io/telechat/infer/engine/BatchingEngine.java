// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.InvalidModelException;
import io.telechat.core.model.CausalLm;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.engine.Scheduler.Chunk;
import io.telechat.infer.generation.FinishReason;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Generates for many at once (continuous batching: Yu et al. 2022, Orca). {@link #step} is the loop: schedule, run, sample,
 * advance. What comes of a sequence depends on its request alone, to the bit: not on what is computed beside it, on when it is
 * admitted or preempted, or on what the prefix cache has of it; as far as the backend gives the same bits for any batch, as {@code
 * cpu} does.
 *
 * <p>Thread-safe. One thread of its own drives the steps; it sleeps while there is nothing to do.
 */
public final class BatchingEngine implements Engine, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BatchingEngine.class);

    private final CausalLm model;
    private final EngineOptions options;
    private final SequenceFactory factory;
    private final Inbox inbox;
    private final BlockPool pool;
    private final Drafter drafter;
    private final AtomicBoolean started = new AtomicBoolean();

    /** Guards what is below, and the model; held during a step. */
    private final ReentrantLock computing = new ReentrantLock(true);

    private final StepRunner runner;
    private final Scheduler scheduler;
    private long promptTokens;
    private long generatedTokens;
    private long steps;
    private long computedTokens;
    private long draftedTokens;
    private long acceptedTokens;
    private volatile EngineStats stats;

    /**
     * @param tokenizer without which answers have no text
     * @param shown its special tokens that are text in answers
     * @param drafter guesses tokens; closed with this
     */
    public BatchingEngine(
            CausalLm model, Optional<Tokenizer> tokenizer, Set<Integer> shown, EngineOptions options, Drafter drafter) {
        this.model = model;
        this.options = options;
        this.factory = new SequenceFactory(model.config(), tokenizer, shown, options.contextLength());
        this.inbox = new Inbox(options.maxBatch(), options.maxQueue());
        this.pool = model.newPool(options.cacheType(), options.blocks());
        this.drafter = drafter;
        this.runner = new StepRunner(model);
        this.scheduler = new Scheduler(model, pool, options, drafter);
        publish();
    }

    @Override
    public EngineOptions options() {
        return options;
    }

    @Override
    public EngineStats stats() {
        EngineStats latest = stats;
        return latest.withWaiting(latest.waiting() + inbox.size());
    }

    /** @throws io.telechat.core.InvalidRequestException unless the model can be fed with them */
    public void checkIds(int... ids) {
        factory.checkIds(ids);
    }

    @Override
    public Ticket submit(List<Request> requests, EngineListener listener) {
        List<Sequence> sequences = factory.sequences(requests, listener, pool);
        inbox.put(sequences);
        if (!started.getAndSet(true)) {
            Thread.ofPlatform().daemon().name("telechat-engine").start(this::run);
        }
        return () -> {
            sequences.forEach(Sequence::cancel);
            inbox.wake();
        };
    }

    /** Computes something else with the model, between two steps. */
    public <T> T alone(Supplier<T> task) {
        computing.lock();
        try {
            inbox.requireOpen();
            return task.get();
        } finally {
            computing.unlock();
        }
    }

    private void run() {
        while (inbox.await()) {
            try {
                while (stepAlone()) {
                    // The lock is fair: who waits to compute something else gets it between two steps.
                }
            } catch (RuntimeException | Error e) {
                LOG.error("a step has failed beyond its sequences", e);
                inbox.wake();
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
            scheduler.running().clear();
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
            output.scores().forEach(this::score);
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
        inbox.takeInto(scheduler.waiting(), scheduler.running().size());
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
    private void sample(List<Chunk> chunks, List<RowLogits> logits) {
        int[] first = new int[chunks.size()];
        for (int i = 1; i < first.length; i++) {
            first[i] = first[i - 1] + chunks.get(i - 1).drawn();
        }
        Draw[] draws = new Draw[chunks.size()];
        model.backend().workers().run(draws.length, (i, worker) -> {
            Chunk chunk = chunks.get(i);
            if (chunk.drawn() > 0) {
                draws[i] = Draw.of(chunk, logits.subList(first[i], first[i] + chunk.drawn()));
            }
        });
        for (int i = 0; i < draws.length; i++) {
            if (draws[i] != null) {
                int before = chunks.get(i).sequence().answer().length();
                take(chunks.get(i).sequence(), draws[i]);
                judge(chunks.get(i), chunks.get(i).sequence().answer().length() - before);
            }
        }
    }

    private void embed(Sequence sequence, float[] vector) {
        endWithoutAnswer(sequence);
        sequence.listener().embedded(sequence.index(), vector);
    }

    private void score(Sequence sequence, List<Optional<RowScore>> rows) {
        if (!rows.stream().allMatch(Optional::isPresent)) {
            fail(
                    sequence,
                    new InvalidModelException("the model computed %s as a logit: its weights are damaged", "NaN"));
            return;
        }
        rows.forEach(row -> sequence.scores().add(row.get()));
        if (sequence.pending() == 0) {
            endWithoutAnswer(sequence);
            sequence.listener().scored(sequence.index(), List.copyOf(sequence.scores()));
        }
    }

    private void endWithoutAnswer(Sequence sequence) {
        promptTokens += sequence.promptLength();
        sequence.firstToken();
        sequence.answer().end(FinishReason.LENGTH);
    }

    private void take(Sequence sequence, Draw draw) {
        if (draw.failure().isPresent()) {
            fail(sequence, draw.failure().get());
            return;
        }
        sequence.promptLogprobs().addAll(draw.promptLogprobs());
        if (!draw.tokens().isEmpty()
                && sequence.answer().length() == 0
                && sequence.request().promptLogprobs() >= 0) {
            sequence.listener().promptLogprobs(sequence.index(), List.copyOf(sequence.promptLogprobs()));
        }
        for (Draw.Token token : draw.tokens()) {
            if (sequence.answer().finishReason().isEmpty()) {
                sequence.firstToken();
                promptTokens += sequence.answer().length() == 0 ? sequence.promptLength() : 0;
                generatedTokens++;
                sequence.add(token.id());
                sequence.answer().add(token);
                if (sequence.isComplete()) {
                    sequence.answer().end(FinishReason.STOP);
                }
                if (sequence.answer().length() >= sequence.longest()) {
                    sequence.answer().end(FinishReason.LENGTH);
                }
            }
        }
    }

    /** Forgets what was computed behind the first wrong guess. */
    private void judge(Chunk chunk, int taken) {
        if (chunk.drafts() > 0) {
            Sequence sequence = chunk.sequence();
            int right = Math.max(0, taken - 1);
            sequence.drafted(chunk.drafts(), right);
            draftedTokens += chunk.drafts();
            acceptedTokens += right;
            sequence.cache().truncate(Math.min(sequence.computed(), chunk.first() + Math.max(1, taken)));
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
                if (scheduler.running().remove(sequence)) { // unless it has failed
                    leave(sequence);
                }
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
        drafter.forget(sequence);
        publish();
        sequence.answer().finish();
        sequence.listener().finished(sequence.index(), sequence.generation());
    }

    private void fail(Sequence sequence, RuntimeException failure) {
        if (sequence.answer().finishReason().isEmpty()) {
            sequence.answer().end(FinishReason.CANCELLED);
            scheduler.running().remove(sequence);
            sequence.shared().release(scheduler.prefixes());
            drafter.forget(sequence);
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
        try {
            if (!inbox.close()) {
                return;
            }
            takeIn();
            scheduler.running().forEach(Sequence::cancel);
            scheduler.waiting().forEach(Sequence::cancel);
            takeIn();
            drafter.close();
            runner.close();
            pool.close();
        } finally {
            computing.unlock();
        }
    }
}
