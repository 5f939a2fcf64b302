// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.comm.Communicator;
import io.telechat.core.model.Activations;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.KvCache;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Computes what the leading part of a model computes, with another part, until that one ends. */
final class Follower implements AutoCloseable {
    private final CausalLm model;
    private final Pass.Channel channel;
    private final Map<Long, KvCache> caches = new HashMap<>();
    private TensorArena activationArena;
    private TensorArena logitsArena;
    private Activations activations;
    private Tensor logits;
    private Tensor hidden;

    Follower(CausalLm model, Communicator ranks) {
        this.model = model;
        this.channel = new Pass.Channel(ranks);
        this.activationArena = model.backend().memory().newArena();
        this.logitsArena = model.backend().memory().newArena();
        reserve(1);
        reserveLogits(1);
    }

    /** Returns when the leader has closed its model. */
    void run() {
        while (true) {
            switch (channel.receive()) {
                case Pass.Forward pass -> forward(pass);
                case Pass.Logits pass -> {
                    int rows = pass.to() - pass.from();
                    if (rows > logits.rows()) {
                        reserveLogits(rows);
                    }
                    model.logits(hidden, pass.from(), pass.to(), logits.rows(0, rows));
                }
                case Pass.End end -> {
                    return;
                }
            }
        }
    }

    private void forward(Pass.Forward pass) {
        pass.closed().forEach(number -> caches.remove(number).close());
        List<Batch.Span> spans = new ArrayList<>();
        int first = 0;
        for (Pass.Span span : pass.spans()) {
            KvCache cache = caches.computeIfAbsent(span.cache(), number -> model.newCache(span.dtype()));
            cache.truncate(span.length());
            model.beginCall(cache, span.scaling());
            spans.add(new Batch.Span(
                    first, span.count(), cache, model.ropeTable(span.scaling(), span.length(), span.count())));
            first += span.count();
        }
        if (first > activations.capacity()) {
            reserve(first);
        }
        hidden = model.forward(new Batch(pass.tokens(), spans), activations, LayerObserver.NONE);
    }

    private void reserve(int rows) {
        TensorArena larger = model.backend().memory().newArena();
        activations = model.newActivations(rows, larger);
        activationArena.close();
        activationArena = larger;
    }

    private void reserveLogits(int rows) {
        TensorArena larger = model.backend().memory().newArena();
        logits = larger.allocate(DType.F32, rows, model.config().vocabSize());
        logitsArena.close();
        logitsArena = larger;
    }

    @Override
    public void close() {
        caches.values().forEach(KvCache::close);
        activationArena.close();
        logitsArena.close();
        channel.close();
    }
}
