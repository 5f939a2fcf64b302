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
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Takes the chunks of one step through the model, and owns the memory for that. */
final class StepRunner implements AutoCloseable {
    private final CausalLm model;
    private final PassMemory memory;

    StepRunner(CausalLm model) {
        this.model = model;
        this.memory = new PassMemory(model);
    }

    /**
     * What a pass gives.
     *
     * @param logits of the wanted rows of all chunks, one behind the other
     * @param hidden states, of length 1, of the last tokens of prompts that are to be embedded
     */
    record Output(List<RowLogits> logits, Map<Sequence, float[]> hidden) {}

    /** Runs all chunks in one pass. */
    Output run(List<Chunk> chunks) {
        int size = chunks.stream().mapToInt(Chunk::count).sum();
        int[] tokens = new int[size];
        List<Batch.Span> spans = new ArrayList<>();
        List<Integer> wanted = new ArrayList<>();
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
                wanted.add(first + row);
            }
            first += chunk.count();
        }
        Activations activations = memory.activations(size);
        Tensor hidden = model.forward(new Batch(tokens, spans), activations, LayerObserver.NONE);
        Map<Sequence, float[]> states = embedded(chunks, hidden);
        if (wanted.isEmpty()) {
            return new Output(List.of(), states);
        }
        Tensor rows = memory.logits(wanted.size());
        model.logits(hidden, wanted.stream().mapToInt(i -> i).toArray(), activations, rows);
        return new Output(RowLogits.of(rows, model, selector(chunks)), states);
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
        return chunk.wanted() > 0
                && (chunk.decoding() || sequence.request().promptLogprobs() < 0)
                && sequence.sampler().mayDoWith(candidates);
    }

    private Map<Sequence, float[]> embedded(List<Chunk> chunks, Tensor hidden) {
        Map<Sequence, float[]> states = new IdentityHashMap<>();
        int end = 0;
        for (Chunk chunk : chunks) {
            end += chunk.count();
            if (chunk.sequence().request().embedding() && chunk.sequence().pending() == 0) {
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
