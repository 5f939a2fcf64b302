// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.training;

import io.telechat.core.architecture.EmbeddingWeights;
import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.model.Activations;
import io.telechat.core.model.DecoderLayer;
import io.telechat.core.model.Gradients;
import io.telechat.core.model.LayerGradients;
import io.telechat.core.model.Lease;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.model.Section;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The model forward and backward over one batch of sequences: the loop of {@link io.telechat.core.model.CausalLm#forward}, then its
 * mirror image. All memory is allocated once. The logits of the whole batch never exist: the loss takes some rows at a time, and
 * only those that count.
 */
public final class TrainingPass implements AutoCloseable {
    /** Floats of logits at a time: 16 MiB. */
    private static final long LOGITS = 1 << 22;

    private static final int MIN_CHUNK = 16;
    private static final int MAX_CHUNK = 512;

    private final ModelConfig config;
    private final ParameterStore parameters;
    private final Ops ops;
    private final GradOps gradOps;
    private final DeviceMemory memory;
    private final TensorArena arena;
    private final int rows;
    private final List<DecoderLayer> layers = new ArrayList<>();
    private final ActivationStore store;
    private final Tensor gradient;
    private final Tensor chunkHidden;
    private final Tensor chunkGradient;
    private final Tensor logits;
    private final Tensor loss;

    /**
     * @param config of the model, or of the part of it whose parameters these are
     * @param ops for the way forward: the backend's for training, or a decorator of them
     * @param gradOps for the way back: likewise
     * @param rows tokens of every batch
     * @param checkpointing whether layers keep their inputs only, and are computed twice
     * @param kept type of the activations between the products, F32 or what {@link Backend#activations} names
     */
    public TrainingPass(
            ModelConfig config,
            ParameterStore parameters,
            Backend backend,
            Ops ops,
            GradOps gradOps,
            int rows,
            boolean checkpointing,
            DType kept) {
        this.config = config;
        this.parameters = parameters;
        this.ops = ops;
        this.gradOps = gradOps;
        this.memory = backend.memory();
        this.arena = memory.newArena();
        this.rows = rows;
        for (int i = 0; i < config.layers(); i++) {
            layers.add(new DecoderLayer(config, i));
        }
        this.store = new ActivationStore(config, rows, checkpointing, kept, arena);
        this.gradient = arena.allocate(DType.F32, rows, config.hidden());
        int chunk = chunk(config, rows);
        this.chunkHidden = arena.allocate(DType.F32, chunk, config.hidden());
        this.chunkGradient = arena.allocate(DType.F32, chunk, config.hidden());
        this.logits = arena.allocate(DType.F32, chunk, config.vocabSize());
        this.loss = arena.allocate(DType.F32, chunk);
    }

    private static int chunk(ModelConfig config, int rows) {
        return Math.min(rows, Math.clamp(LOGITS / config.vocabSize(), MIN_CHUNK, MAX_CHUNK));
    }

    /**
     * Bytes of a pass, beside the parameters and their gradients.
     *
     * @param activations what the forward pass leaves for the backward pass
     * @param gradients of activations
     * @param logits of some rows at a time
     */
    public record Memory(long activations, long gradients, long logits) {
        public long total() {
            return activations + gradients + logits;
        }
    }

    /** What a pass over so many rows will allocate. */
    public static Memory memory(ModelConfig config, int rows, boolean checkpointing, DType kept) {
        long chunk = chunk(config, rows);
        return new Memory(
                ActivationStore.bytes(config, rows, checkpointing, kept),
                LayerGradients.Spare.bytes(config, rows, kept) + 4L * rows * config.hidden(),
                4 * chunk * (2L * config.hidden() + config.vocabSize() + 1));
    }

    /** What it has allocated. */
    public long bytes() {
        return arena.bytes();
    }

    /**
     * What is learned from a batch.
     *
     * @param targets the token that each row should predict
     * @param weights of each row in the loss; rows of weight 0 cost nothing in the head
     */
    public record Objective(int[] targets, float[] weights) {}

    /** The weighted sum of the rows' losses; nothing is learned. */
    public double loss(Batch batch, Objective objective) {
        forward(batch);
        return head(objective, null);
    }

    /** Likewise, and hands the gradients of that sum to {@code gradients}. */
    public double forwardBackward(Batch batch, Objective objective, Gradients gradients) {
        forward(batch);
        double sum = head(objective, gradients);
        backwardLayers(batch, gradients);
        embeddingBackward(batch, gradients);
        return sum;
    }

    private void forward(Batch batch) {
        if (batch.size() != rows) {
            throw new IllegalArgumentException("a batch of %d tokens, memory for %d".formatted(batch.size(), rows));
        }
        Activations first = store.layer(0);
        try (Lease<EmbeddingWeights> lease = parameters.embedding()) {
            parameters.prefetch(Section.layer(0));
            ops.embed(batch.tokens(), lease.weights().table(), config.embeddingScale(), first.x());
            if (lease.weights().norm().isPresent()) {
                ops.rmsNorm(first.x(), lease.weights().norm().get(), config.normEps(), first.x(), first.rstd1());
            }
        }
        for (int i = 0; i < layers.size(); i++) {
            parameters.prefetch(Section.after(i, layers.size()));
            try (Lease<LayerWeights> lease = parameters.layer(i)) {
                layers.get(i).forward(ops, lease.weights(), batch, store.layer(i));
            }
        }
    }

    /** The loss; with gradients, that of the last layer's output is left in {@code gradient}. */
    private double head(Objective objective, Gradients gradients) {
        try (Lease<HeadWeights> lease = parameters.head()) {
            if (gradients == null) {
                return loss(objective, lease.weights(), null);
            }
            parameters.prefetch(Section.layer(layers.size() - 1));
            gradients.begin(Section.HEAD);
            double sum = loss(objective, lease.weights(), gradients);
            Activations last = store.layer(layers.size() - 1);
            Tensor norm = lease.weights().norm();
            gradients.norm(WeightId.FINAL_NORM, last.y(), norm, last.rstd1(), gradient, zero(), gradient);
            gradients.end(Section.HEAD);
            return sum;
        }
    }

    private double loss(Objective objective, HeadWeights weights, Gradients gradients) {
        Activations last = store.layer(layers.size() - 1);
        Tensor hidden = store.norm();
        ops.rmsNorm(last.y(), weights.norm(), config.normEps(), hidden, last.rstd1());
        gradient.clear();
        int[] counted = countedRows(objective);
        double sum = 0;
        int chunk = (int) logits.rows();
        for (int from = 0; from < counted.length; from += chunk) {
            int count = Math.min(chunk, counted.length - from);
            int[] chosen = new int[count];
            int[] targets = new int[count];
            float[] rowWeights = new float[count];
            for (int i = 0; i < count; i++) {
                chosen[i] = counted[from + i];
                targets[i] = objective.targets()[chosen[i]];
                rowWeights[i] = objective.weights()[chosen[i]];
            }
            sum += chunkLoss(hidden, weights.matrix(), chosen, targets, rowWeights, gradients);
        }
        return sum;
    }

    private double chunkLoss(
            Tensor hidden, Weight matrix, int[] chosen, int[] targets, float[] weights, Gradients gradients) {
        int count = chosen.length;
        Tensor x = chunkHidden.rows(0, count);
        Tensor scores = logits.rows(0, count);
        ops.embed(chosen, Weight.of(hidden), 1, x);
        ops.linear(x, matrix, scores);
        gradOps.crossEntropy(scores, targets, weights, config.logitScale(), loss.rows(0, count));
        if (gradients != null) {
            Tensor dx = chunkGradient.rows(0, count);
            gradients.linear(x, matrix, scores, dx, false);
            gradOps.embedBackward(chosen, dx, 1, gradient);
        }
        float[] losses = memory.toHost(loss.rows(0, count)).toFloats();
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += (double) weights[i] * losses[i];
        }
        return sum;
    }

    private static int[] countedRows(Objective objective) {
        int[] counted = new int[objective.weights().length];
        int count = 0;
        for (int i = 0; i < counted.length; i++) {
            if (objective.weights()[i] != 0) {
                counted[count++] = i;
            }
        }
        return Arrays.copyOf(counted, count);
    }

    private void backwardLayers(Batch batch, Gradients gradients) {
        for (int i = layers.size() - 1; i >= 0; i--) {
            if (i > 0 || config.embeddingNorm()) {
                parameters.prefetch(Section.before(i));
            }
            try (Lease<LayerWeights> lease = parameters.layer(i)) {
                Activations a = store.layer(i);
                if (store.isRecomputed(i)) {
                    layers.get(i).activations(ops, lease.weights(), batch, a);
                }
                gradients.begin(Section.layer(i));
                layers.get(i)
                        .backward(ops, gradOps, gradients, lease.weights(), batch, a, store.gradients(i), gradient);
                gradients.end(Section.layer(i));
            }
        }
    }

    private void embeddingBackward(Batch batch, Gradients gradients) {
        gradients.begin(Section.EMBEDDING);
        if (config.embeddingNorm()) {
            try (Lease<EmbeddingWeights> lease = parameters.embedding()) {
                Tensor norm = lease.weights().norm().orElseThrow();
                Activations a = store.layer(0);
                ops.embed(batch.tokens(), lease.weights().table(), config.embeddingScale(), a.x());
                ops.rmsNorm(a.x(), norm, config.normEps(), a.norm1(), a.rstd1());
                gradients.norm(WeightId.EMBEDDING_NORM, a.x(), norm, a.rstd1(), gradient, zero(), gradient);
            }
        }
        gradients.embedding(batch.tokens(), gradient, config.embeddingScale());
        gradients.end(Section.EMBEDDING);
    }

    private Tensor zero() {
        Tensor nothing = store.norm();
        nothing.clear();
        return nothing;
    }

    @Override
    public void close() {
        arena.close();
    }
}
