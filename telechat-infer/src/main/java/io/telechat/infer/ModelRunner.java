// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.model.PassMemory;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.Arrays;

/**
 * Feeds tokens to a model in passes of bounded size and owns the memory for that. However many passes a prompt takes, it
 * is one call to the model: its rotation is fixed once for all of them.
 */
final class ModelRunner implements AutoCloseable {
    /** Rows of logits that are computed at a time where all of them are wanted. */
    private static final int LOGIT_ROWS = 64;

    private final CausalLm model;
    private final PassMemory memory;

    ModelRunner(CausalLm model) {
        this.model = model;
        this.memory = new PassMemory(model);
    }

    /**
     * Feeds the next tokens of a sequence.
     *
     * @return logits of the last one, [vocab]
     */
    float[] feed(int[] tokens, KvCache cache) {
        RopeScaling scaling = model.beginCall(cache, tokens.length);
        Tensor hidden = null;
        for (int first = 0; first < tokens.length; ) {
            int count = Math.min(MemoryPlan.MAX_ROWS, tokens.length - first);
            hidden = pass(Arrays.copyOfRange(tokens, first, first + count), cache, scaling, LayerObserver.NONE);
            first += count;
        }
        Tensor logits = memory.logits(1);
        model.logits(hidden, (int) hidden.rows() - 1, (int) hidden.rows(), logits);
        return model.backend().memory().toHost(logits).toFloats();
    }

    /** Feeds tokens and shows all that is computed. */
    void feed(int[] tokens, KvCache cache, PassObserver observer) {
        RopeScaling scaling = model.beginCall(cache, tokens.length);
        int rowsAtOnce = Math.min(LOGIT_ROWS, tokens.length);
        try (TensorArena scratch = model.backend().memory().newArena()) {
            Tensor all = scratch.allocate(DType.F32, rowsAtOnce, model.config().vocabSize());
            for (int first = 0; first < tokens.length; ) {
                int start = first;
                int count = Math.min(MemoryPlan.MAX_ROWS, tokens.length - first);
                int[] part = Arrays.copyOfRange(tokens, first, first + count);
                Tensor hidden = pass(
                        part,
                        cache,
                        scaling,
                        (layer, h) -> observer.hidden(
                                start, layer, model.backend().memory().toHost(h)));
                observer.normed(start, model.backend().memory().toHost(hidden));
                for (int row = 0; row < count; row += rowsAtOnce) {
                    int rows = Math.min(rowsAtOnce, count - row);
                    model.logits(hidden, row, row + rows, all.rows(0, rows));
                    observer.logits(start + row, model.backend().memory().toHost(all.rows(0, rows)));
                }
                first += count;
            }
        }
    }

    private Tensor pass(int[] tokens, KvCache cache, RopeScaling scaling, LayerObserver observer) {
        Batch batch = Batch.of(tokens, cache, model.ropeTable(scaling, cache.length(), tokens.length));
        return model.forward(batch, memory.activations(tokens.length), observer);
    }

    @Override
    public void close() {
        memory.close();
    }
}
