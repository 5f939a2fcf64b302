// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import io.telechat.core.InvalidInputException;
import io.telechat.eval.model.Answerer;
import io.telechat.eval.model.Asked;
import io.telechat.eval.score.Scorer;
import io.telechat.eval.score.TaskScores;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Score;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Takes the documents of one task through a model: many at a time, and those that a run before has done not again. */
public final class TaskRun implements AutoCloseable {
    private final Task task;
    private final List<Asked> documents = new ArrayList<>();
    private final Optional<SampleLog> log;

    /** @param log keeps what comes of the documents; closed with this */
    public TaskRun(Task task, List<Subtask> subtasks, Optional<SampleLog> log) {
        this.task = task;
        this.log = log;
        for (Subtask subtask : subtasks) {
            for (Item item : subtask.items()) {
                documents.add(new Asked(task.name(), subtask.name(), item));
            }
        }
    }

    public Task task() {
        return task;
    }

    private static SampleLog.Key key(Asked asked) {
        return new SampleLog.Key(asked.subtask(), asked.item().id());
    }

    /**
     * Has all of them answered and scored. What answers, and in which order they end, has no influence on the result.
     *
     * @throws io.telechat.core.TelechatException the first failure; what was scored before it is in the log
     */
    public TaskScores run(Answerer answerer, RunProgress progress) {
        Map<SampleLog.Key, List<Score>> scores = new ConcurrentHashMap<>();
        documents.forEach(asked -> log.flatMap(l -> l.scores(key(asked))).ifPresent(s -> scores.put(key(asked), s)));
        List<Asked> left = documents.stream()
                .filter(asked -> !scores.containsKey(key(asked)))
                .toList();
        answerAll(left, answerer, scores, progress);
        Scorer scorer = new Scorer(task.name());
        documents.forEach(asked -> scorer.add(asked.subtask(), scores.get(key(asked))));
        return scorer.scores(task.groups());
    }

    private void answerAll(
            List<Asked> left, Answerer answerer, Map<SampleLog.Key, List<Score>> scores, RunProgress progress) {
        int total = documents.size();
        AtomicInteger done = new AtomicInteger(total - left.size());
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Semaphore places = new Semaphore(Math.min(answerer.parallel(), Math.max(1, left.size())));
        int placesInAll = places.availablePermits();
        progress.scored(task.name(), done.get(), total);
        try (ExecutorService scoring =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            for (Asked asked : left) {
                places.acquireUninterruptibly();
                if (failure.get() != null || Thread.currentThread().isInterrupted()) {
                    places.release();
                    break;
                }
                scored(asked, answerer, scoring)
                        .thenAccept(scored -> {
                            log.ifPresent(l -> l.add(scored.sample()));
                            scores.put(key(asked), scored.scores());
                            progress.scored(task.name(), done.incrementAndGet(), total);
                        })
                        .whenComplete((nothing, e) -> {
                            if (e != null) {
                                failure.compareAndSet(null, e);
                            }
                            places.release();
                        });
            }
            places.acquireUninterruptibly(placesInAll);
        }
        if (failure.get() != null) {
            throw unwrapped(failure.get());
        }
        if (done.get() < total) {
            throw new InvalidInputException(
                    "%s: interrupted after %,d of %,d documents", task.name(), done.get(), total);
        }
    }

    private static CompletableFuture<Scored> scored(Asked asked, Answerer answerer, ExecutorService scoring) {
        try {
            return switch (asked.item().query()) {
                case Query.Choice choice ->
                    answerer.likelihoods(asked, choice)
                            .thenApplyAsync(found -> DocumentScorer.of(asked, choice, found), scoring);
                case Query.FreeAnswer free ->
                    answerer.answer(asked, free)
                            .thenApplyAsync(
                                    answer -> DocumentScorer.of(asked, free, answer, answerer.endOfText()), scoring);
            };
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static RuntimeException unwrapped(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException e ? e : new IllegalStateException(cause);
    }

    /** Publishes the samples in the order of the documents. */
    public void publish(Path file) {
        log.ifPresent(l -> l.publish(file, documents.stream().map(TaskRun::key).toList()));
    }

    /** Forgets what was kept in case that the run were cut short. */
    public void forget() {
        log.ifPresent(SampleLog::delete);
    }

    @Override
    public void close() {
        log.ifPresent(SampleLog::close);
    }
}
