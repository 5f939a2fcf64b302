// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What a model computes with its caches: the same calls for two models that shall compute the same. */
public final class Conversation {
    private Conversation() {}

    private static int[] tokens(int count, int vocabulary, long seed) {
        return new Random(seed).ints(count, 0, vocabulary).toArray();
    }

    private static float[] logits(CausalLm lm, int[] tokens, List<KvCache> caches, int[] counts, TensorArena arena) {
        List<Batch.Span> spans = new ArrayList<>();
        int first = 0;
        for (int i = 0; i < counts.length; i++) {
            RopeScaling scaling = lm.beginCall(caches.get(i), counts[i]);
            spans.add(new Batch.Span(
                    first,
                    counts[i],
                    caches.get(i),
                    lm.ropeTable(scaling, caches.get(i).length(), counts[i])));
            first += counts[i];
        }
        Tensor hidden =
                lm.forward(new Batch(tokens, spans), lm.newActivations(tokens.length, arena), LayerObserver.NONE);
        Tensor logits = arena.allocate(DType.F32, tokens.length, lm.config().vocabSize());
        lm.logits(hidden, 0, tokens.length, logits);
        return lm.backend().memory().toHost(logits).toFloats();
    }

    /** Logits of a prompt, of single tokens behind it, and of two sequences in one batch, of which one was shortened before. */
    public static float[][] with(CausalLm lm) {
        int vocabulary = lm.config().vocabSize();
        List<float[]> all = new ArrayList<>();
        try (TensorArena arena = lm.backend().memory().newArena();
                KvCache one = lm.newCache(DType.F32);
                KvCache other = lm.newCache(DType.F32)) {
            int[] prompt = tokens(9, vocabulary, 1);
            all.add(logits(lm, prompt, List.of(one), new int[] {9}, arena));
            for (int step = 0; step < 3; step++) {
                all.add(logits(lm, new int[] {step}, List.of(one), new int[] {1}, arena));
            }
            one.truncate(5);
            int[] both = tokens(7, vocabulary, 2);
            all.add(logits(lm, both, List.of(one, other), new int[] {3, 4}, arena));
        }
        try (TensorArena arena = lm.backend().memory().newArena();
                KvCache third = lm.newCache(DType.F32)) {
            all.add(logits(lm, tokens(4, vocabulary, 3), List.of(third), new int[] {4}, arena));
        }
        return all.toArray(float[][]::new);
    }
}
