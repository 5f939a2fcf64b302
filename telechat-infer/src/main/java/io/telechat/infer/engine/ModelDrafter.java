// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.model.Activations;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.infer.sampling.Sampler;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;

/** Guesses what a smaller model of the same vocabulary finds likeliest. Closes that model. */
public final class ModelDrafter implements Drafter {
    private final CausalLm model;
    private final BlockPool pool;
    private final TensorArena arena;
    private final Activations activations;
    private final Tensor logits;
    private final Map<Object, Read> bySequence = new IdentityHashMap<>();

    public ModelDrafter(CausalLm model, DType cacheType) {
        this.model = model;
        this.pool = model.newPool(cacheType, BlockPool.UNBOUNDED);
        this.arena = model.backend().memory().newArena();
        this.activations = model.newActivations(MemoryPlan.MAX_ROWS, arena);
        this.logits = arena.allocate(DType.F32, 1, model.config().vocabSize());
    }

    /** What the model has read of a sequence. */
    private static final class Read {
        private final KvCache cache;
        private int[] tokens = new int[0];

        private Read(KvCache cache) {
            this.cache = cache;
        }
    }

    @Override
    public int[] draft(Object sequence, int[] tokens, int length, int most) {
        int room = model.config().maxContextLength() - length;
        int[] guesses = new int[Math.max(0, Math.min(most, room))];
        if (guesses.length == 0) {
            return guesses;
        }
        Read read = bySequence.computeIfAbsent(sequence, s -> new Read(KvCache.in(pool)));
        int[] text = Arrays.copyOf(tokens, length + guesses.length);
        int common = Arrays.mismatch(read.tokens, 0, read.cache.length(), text, 0, length - 1);
        read.cache.truncate(common < 0 ? Math.min(read.cache.length(), length - 1) : common);
        for (int i = 0; i < guesses.length; i++) {
            guesses[i] = next(read.cache, text, length + i);
            text[length + i] = guesses[i];
        }
        read.tokens = text;
        return guesses;
    }

    /** Reads the text up to {@code end}, and says what is likeliest to follow. */
    private int next(KvCache cache, int[] text, int end) {
        RopeScaling scaling = model.beginCall(cache, end - cache.length());
        Tensor hidden = null;
        while (cache.length() < end) {
            int first = cache.length();
            int[] part = Arrays.copyOfRange(text, first, Math.min(end, first + MemoryPlan.MAX_ROWS));
            Batch batch = Batch.of(part, cache, model.ropeTable(scaling, first, part.length));
            hidden = model.forward(batch, activations, LayerObserver.NONE);
        }
        int last = (int) hidden.rows() - 1;
        model.logits(hidden, last, last + 1, logits);
        return Sampler.argmax(model.backend().memory().toHost(logits).toFloats());
    }

    @Override
    public void forget(Object sequence) {
        Read read = bySequence.remove(sequence);
        if (read != null) {
            read.cache.close();
        }
    }

    @Override
    public void close() {
        pool.close();
        arena.close();
        model.close();
    }
}
