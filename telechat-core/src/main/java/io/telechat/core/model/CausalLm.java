// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.EmbeddingWeights;
import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.backend.Backend;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A causal language model: {@code logits = Head(RMSNorm(Layer_L(… Layer_1(Embed(tokens)))))}.
 *
 * <p>This page is the map of the model. {@link #forward} is the one loop over layers; a {@link DecoderLayer} is nine lines,
 * one per formula of {@link Ops}; the weights come on lease from a {@link ParameterStore}; what the published
 * architectures do differently is in {@link ModelConfig} and in each {@link io.telechat.core.architecture.Architecture}. All
 * tensors are [tokens, features].
 *
 * <p>Holds no per-call state, so several sequences may take turns on it; one call at a time per {@link Activations}.
 */
public final class CausalLm implements AutoCloseable {
    private final ModelConfig config;
    private final ModelConfig part;
    private final int parts;
    private final ParameterStore parameters;
    private final Backend backend;
    private final Ops ops;
    private final PassMirror mirror;
    private final List<Runnable> releases;
    private final List<DecoderLayer> layers = new ArrayList<>();

    /**
     * Takes over the parameters and the backend, and closes them with itself.
     *
     * @param ops the backend's operations, or a decorator of them
     * @param releases free what the decorator holds, run before the parameters are closed
     */
    public CausalLm(ModelConfig config, ParameterStore parameters, Backend backend, Ops ops, Runnable... releases) {
        this(ModelPart.whole(config), parameters, backend, ops, PassMirror.NONE, releases);
    }

    /**
     * One part of a model that is cut: its operations add up what all parts compute.
     *
     * @param mirror makes the other parts compute the same passes
     */
    public CausalLm(
            ModelPart part,
            ParameterStore parameters,
            Backend backend,
            Ops ops,
            PassMirror mirror,
            Runnable... releases) {
        this.config = part.whole();
        this.part = part.isCut() ? part.config() : config;
        this.parts = part.count();
        this.parameters = parameters;
        this.backend = backend;
        this.ops = ops;
        this.mirror = mirror;
        this.releases = List.of(releases);
        for (int i = 0; i < config.layers(); i++) {
            layers.add(new DecoderLayer(this.part, i));
        }
    }

    /** Of the whole model. */
    public ModelConfig config() {
        return config;
    }

    /** How many parts it is cut into, of which this is one. */
    public int parts() {
        return parts;
    }

    public Backend backend() {
        return backend;
    }

    /** An empty cache for one sequence, in memory of its own; likewise. */
    public KvCache newCache(DType dtype) {
        return KvCache.alone(newPool(dtype, BlockPool.UNBOUNDED));
    }

    /**
     * Memory for the caches of several sequences, so many blocks at most.
     *
     * @param dtype one of {@link Backend#cacheTypes}
     */
    public BlockPool newPool(DType dtype, int capacity) {
        backend.requireCacheType(dtype);
        KvLayout layout = new KvLayout(part.layers(), part.heads(), dtype);
        return new BlockPool(layout, backend.memory().newArena(), capacity);
    }

    /** Memory for passes over so many rows at most. */
    public Activations newActivations(int rows, TensorArena arena) {
        return Activations.allocate(part, rows, arena);
    }

    /**
     * Fixes the rotation for a call that adds {@code callTokens} to a sequence, and turns its cached keys if the architecture
     * asks for that. The call may then be made in several passes under the same scaling.
     */
    public RopeScaling beginCall(KvCache cache, int callTokens) {
        if (cache.length() == 0) {
            cache.beginPrompt(callTokens);
        }
        RopeScaling scaling = config.rope().scaling(cache.promptTokens(), callTokens, cache.length() + callTokens);
        beginCall(cache, scaling);
        return scaling;
    }

    /** Likewise, for a rotation that has been fixed elsewhere. */
    public void beginCall(KvCache cache, RopeScaling scaling) {
        if (turns(cache, scaling)) {
            turnKeys(cache, cache.scaling().orElseThrow(), scaling);
            cache.turned(scaling);
        }
    }

    /** Whether a call under this rotation turns the cached keys, which nobody else may be using then. */
    public boolean turns(KvCache cache, RopeScaling scaling) {
        return config.rope().turnsCachedKeys()
                && cache.scaling().filter(stored -> !stored.equals(scaling)).isPresent();
    }

    /** Turns the cached keys from one rotation to another. */
    public void turnKeys(KvCache cache, RopeScaling from, RopeScaling to) {
        mirror().turnKeys(cache, from, to);
        ops.turnKeys(cache, ropeTable(from, 0, cache.length()), ropeTable(to, 0, cache.length()));
    }

    /** Before the other parts are waited for, what they may be waiting for is begun. */
    private PassMirror mirror() {
        if (parts > 1) {
            flush();
        }
        return mirror;
    }

    /** Copies one block of a pool to another. */
    public void copyBlock(BlockPool pool, int from, int to) {
        mirror().copyBlock(pool, from, to);
        backend.memory().write(pool.block(from), pool.block(to));
    }

    /** Angles of {@code count} positions from {@code first} on. */
    public RopeTable ropeTable(RopeScaling scaling, int first, int count) {
        return RopeTable.of(scaling, config.heads().headDim(), first, count);
    }

    /**
     * Runs all layers over a batch and stores its keys and values.
     *
     * @param activations with room for the batch's tokens
     * @return hidden states behind the final norm, [tokens, hidden]; part of {@code activations}, valid until the next call
     */
    public Tensor forward(Batch batch, Activations activations, LayerObserver observer) {
        batch.spans().forEach(span -> span.cache().reserve(span.cache().length() + span.count()));
        mirror().forward(batch);
        ops.begin(batch);
        Activations a = activations.first(batch.size());
        try (Lease<EmbeddingWeights> lease = parameters.embedding()) {
            ops.embed(batch.tokens(), lease.weights().table(), config.embeddingScale(), a.x());
            if (lease.weights().norm().isPresent()) {
                ops.rmsNorm(a.x(), lease.weights().norm().get(), config.normEps(), a.x(), a.rstd1());
            }
        }
        for (int i = 0; i < layers.size(); i++) {
            observer.observe(i, a.x());
            parameters.prefetch(Section.after(i, layers.size()));
            try (Lease<LayerWeights> lease = parameters.layer(i)) {
                layers.get(i).forward(ops, lease.weights(), batch, a);
            }
            a = a.swapped();
        }
        observer.observe(layers.size(), a.x());
        batch.spans()
                .forEach(span -> span.cache().advance(span.count(), span.rope().scaling()));
        try (Lease<HeadWeights> lease = parameters.head()) {
            ops.rmsNorm(a.x(), lease.weights().norm(), config.normEps(), a.norm1(), a.rstd1());
        }
        return a.norm1();
    }

    /**
     * Applies the head to rows {@code from} (inclusive) to {@code to} (exclusive).
     *
     * @param hidden [n, hidden], as the latest {@link #forward} returned it
     * @param logits [to − from, vocab]
     */
    public void logits(Tensor hidden, int from, int to, Tensor logits) {
        mirror().logits(IntStream.range(from, to).toArray());
        head(hidden.rows(from, to), logits);
    }

    /**
     * Applies the head to some rows.
     *
     * @param hidden [n, hidden], as the latest {@link #forward} returned it
     * @param rows in rising order
     * @param activations of that pass, whose memory is used to put the rows together
     * @param logits [rows, vocab]
     */
    public void logits(Tensor hidden, int[] rows, Activations activations, Tensor logits) {
        mirror().logits(rows);
        boolean neighbours = rows[rows.length - 1] - rows[0] == rows.length - 1;
        if (neighbours) {
            head(hidden.rows(rows[0], rows[0] + rows.length), logits);
        } else {
            Tensor selected = activations.h().rows(0, rows.length);
            ops.selectRows(hidden, rows, selected);
            head(selected, logits);
        }
    }

    private void head(Tensor hidden, Tensor logits) {
        try (Lease<HeadWeights> lease = parameters.head()) {
            ops.linear(hidden, lease.weights().matrix(), logits);
        }
        if (config.logitScale() != 1) {
            ops.scale(logits, config.logitScale());
        }
    }

    /** Begins what passes have asked for: for who does not look at what they give. */
    public void flush() {
        ops.flush();
    }

    /** Bytes of all weights of this part that a token is multiplied with: all but the embedding table, unless it is the head as well. */
    public long activeBytes() {
        long bytes;
        try (Lease<HeadWeights> lease = parameters.head()) {
            bytes = lease.weights().norm().bytes() + lease.weights().matrix().bytes();
        }
        for (int i = 0; i < layers.size(); i++) {
            try (Lease<LayerWeights> lease = parameters.layer(i)) {
                bytes += lease.weights().bytes();
            }
        }
        return bytes;
    }

    @Override
    public void close() {
        releases.forEach(Runnable::run);
        parameters.close();
        backend.close();
    }
}
