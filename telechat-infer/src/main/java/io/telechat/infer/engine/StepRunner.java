// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.backend.TopSelector;
import io.telechat.core.model.Activations;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.model.PassMemory;
import io.telechat.core.ops.Batch;
import io.telechat.core.tensor.Tensor;
import io.telechat.infer.engine.Scheduler.Chunk;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Takes the chunks of one step through the model, and owns the memory for that. */
final class StepRunner implements AutoCloseable {
    /** Rows that are scored at a time: their logits take memory. */
    private static final int SCORED_ROWS = 64;

    private final CausalLm model;
    private final PassMemory memory;

    StepRunner(CausalLm model) {
        this.model = model;
        this.memory = new PassMemory(model);
    }

    /**
     * What a pass gives.
     *
     * @param logits of the rows of all chunks that are drawn from, one behind the other
     * @param hidden states, of length 1, of the last tokens of prompts that are to be embedded
     * @param scores of rows that are to be scored; empty where logits are no numbers
     */
    record Output(
            List<RowLogits> logits, Map<Sequence, float[]> hidden, Map<Sequence, List<Optional<RowScore>>> scores) {}

    /** Runs all chunks in one pass. */
    Output run(List<Chunk> chunks) {
        int size = chunks.stream().mapToInt(Chunk::count).sum();
        int[] tokens = new int[size];
        List<Batch.Span> spans = new ArrayList<>();
        List<Integer> drawn = new ArrayList<>();
        List<ScoredRow> scored = new ArrayList<>();
        int first = 0;
        for (Chunk chunk : chunks) {
            Sequence sequence = chunk.sequence();
            System.arraycopy(sequence.tokens(), chunk.first(), tokens, first, chunk.count());
            model.beginCall(sequence.cache(), chunk.scaling());
            spans.add(new Batch.Span(
                    first,
                    chunk.count(),
                    sequence.cache(),
                    model.ropeTable(chunk.scaling(), chunk.first(), chunk.count()),
                    sequence.request().adapter()));
            for (int row = chunk.count() - chunk.wanted(); row < chunk.count(); row++) {
                if (sequence.request().goal() instanceof Goal.Score goal) {
                    int[] ids = goal.wanted()[chunk.first() + row - sequence.firstScoredRow()];
                    scored.add(new ScoredRow(sequence, first + row, ids));
                } else {
                    drawn.add(first + row);
                }
            }
            first += chunk.count();
        }
        Activations activations = memory.activations(size);
        Tensor hidden = model.forward(new Batch(tokens, spans), activations, LayerObserver.NONE);
        Map<Sequence, float[]> states = embedded(chunks, hidden);
        Map<Sequence, List<Optional<RowScore>>> scores = scores(scored, hidden, activations);
        if (drawn.isEmpty()) {
            return new Output(List.of(), states, scores);
        }
        Tensor rows = logits(drawn, hidden, activations);
        return new Output(RowLogits.of(rows, model, selector(chunks)), states, scores);
    }

    /** [rows, vocab]; until the next are asked for. */
    private Tensor logits(List<Integer> rows, Tensor hidden, Activations activations) {
        Tensor logits = memory.logits(rows.size());
        model.logits(hidden, rows.stream().mapToInt(i -> i).toArray(), activations, logits);
        return logits;
    }

    /** A row of the pass, and ids whose log-probabilities are wanted. */
    private record ScoredRow(Sequence sequence, int row, int[] ids) {}

    /** Some rows at a time, which the team shares: a whole pass of them would take far more memory than all else. */
    private Map<Sequence, List<Optional<RowScore>>> scores(
            List<ScoredRow> rows, Tensor hidden, Activations activations) {
        Map<Sequence, List<Optional<RowScore>>> scores = new IdentityHashMap<>();
        for (int from = 0; from < rows.size(); from += SCORED_ROWS) {
            List<ScoredRow> some = rows.subList(from, Math.min(rows.size(), from + SCORED_ROWS));
            Tensor logits = logits(some.stream().map(ScoredRow::row).toList(), hidden, activations);
            List<RowLogits> all = RowLogits.of(logits, model, model.backend().topSelector());
            List<Optional<RowScore>> found = new ArrayList<>(Collections.nCopies(some.size(), Optional.empty()));
            model.backend()
                    .workers()
                    .run(
                            some.size(),
                            (i, worker) -> found.set(
                                    i, Logprobs.score(all.get(i), some.get(i).ids())));
            for (int i = 0; i < some.size(); i++) {
                scores.computeIfAbsent(some.get(i).sequence(), s -> new ArrayList<>())
                        .add(found.get(i));
            }
        }
        return scores;
    }

    /** What finds the highest logits, if that is enough for any chunk. */
    private Optional<TopSelector> selector(List<Chunk> chunks) {
        return model.backend()
                .topSelector()
                .filter(selector -> chunks.stream().anyMatch(chunk -> mayDoWith(selector.most(), chunk)));
    }

    /** Log-probabilities of a prompt take all of every row. */
    private static boolean mayDoWith(int candidates, Chunk chunk) {
        Sequence sequence = chunk.sequence();
        return chunk.drawn() > 0
                && (chunk.decoding() || sequence.request().promptLogprobs() < 0)
                && sequence.sampler().mayDoWith(candidates);
    }

    private Map<Sequence, float[]> embedded(List<Chunk> chunks, Tensor hidden) {
        Map<Sequence, float[]> states = new IdentityHashMap<>();
        int end = 0;
        for (Chunk chunk : chunks) {
            end += chunk.count();
            if (chunk.sequence().request().goal() instanceof Goal.Embed
                    && chunk.sequence().pending() == 0) {
                Tensor last = model.backend().memory().toHost(hidden.rows(end - 1, end));
                states.put(chunk.sequence(), unit(last.toFloats()));
            }
        }
        return states;
    }

    /** Scaled to length 1. */
    private static float[] unit(float[] vector) {
        double sum = 0;
        for (float x : vector) {
            sum += (double) x * x;
        }
        float[] scaled = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            scaled[i] = (float) (vector[i] / Math.sqrt(sum));
        }
        return scaled;
    }

    @Override
    public void close() {
        memory.close();
    }
}
