// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.CheckpointWriter;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All parameters in F32 with a gradient of the same shape for each, by the tensors of the checkpoint. Matrices are [out, in],
 * also those that the checkpoint stores the other way round; they may be computed with in BF16.
 */
public final class TrainableParameters implements ParameterStore {
    /**
     * A tensor of the checkpoint.
     *
     * @param name as in the checkpoint
     * @param spec how it is stored
     * @param master F32, what the optimizer updates
     * @param value as it is computed with: the master, or a rounded copy of it
     * @param gradient of the same shape
     */
    public record Parameter(String name, TensorSpec spec, Tensor master, Tensor value, Tensor gradient) {}

    private final Backend backend;
    private final TensorArena arena;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<Object, Object> gradients = new IdentityHashMap<>();
    private final Weight embedding;
    private final Optional<Tensor> embeddingNorm;
    private final List<LayerLease> layers = new ArrayList<>();
    private final Tensor finalNorm;
    private final Weight head;

    /**
     * Copies the tensors of a checked checkpoint, which is still the caller's.
     *
     * @param dtype of the matrices that are computed with: F32 or BF16
     */
    public TrainableParameters(ModelLoader.Checked checked, Backend backend, DType dtype) {
        this.backend = backend;
        this.arena = backend.newArena();
        ModelConfig config = checked.config();
        Architecture architecture = config.architecture();
        try {
            for (TensorSpec spec : architecture.tensors(config)) {
                Tensor master = read(checked.checkpoint(), spec, arena);
                long[] shape = master.shape().toArray();
                Tensor value = dtype == DType.F32 || shape.length < 2 ? master : arena.allocate(dtype, shape);
                Tensor gradient = arena.allocate(DType.F32, shape);
                parameters.put(spec.name(), new Parameter(spec.name(), spec, master, value, gradient));
            }
            round(Rounding.NEAREST, 0);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
        embedding = matrix(architecture.embeddingName(config));
        embeddingNorm =
                config.embeddingNorm() ? Optional.of(vector(architecture.embeddingNormName(config))) : Optional.empty();
        for (int i = 0; i < config.layers(); i++) {
            LayerWeights values = architecture.layer(config, i, source(false));
            register(values, architecture.layer(config, i, source(true)));
            layers.add(new ResidentLayer(values));
        }
        finalNorm = vector(architecture.finalNormName(config));
        head = config.tiedHead() ? embedding : matrix(architecture.headName(config));
    }

    /** Brings the rounded copies up to date with the masters. */
    public void round(Rounding rounding, long seed) {
        int index = 0;
        for (Parameter parameter : parameters.values()) {
            if (parameter.value() != parameter.master()) {
                rounding.round(parameter.master(), parameter.value(), SplitMix.seed(seed, index), backend.workers());
            }
            index++;
        }
    }

    /** Takes the values of another checkpoint of the same model; what is rounded is still to be rounded. */
    public void read(Checkpoint checkpoint) {
        for (Parameter parameter : parameters.values()) {
            try (TensorArena temporary = backend.newArena()) {
                backend.write(read(checkpoint, parameter.spec(), temporary), parameter.master());
            }
        }
    }

    private Tensor read(Checkpoint checkpoint, TensorSpec spec, TensorArena to) {
        try (HostArena temporary = new HostArena()) {
            WeightScan unseen = new WeightScan(backend.workers(), LoadProgress.SILENT, 0);
            CheckpointTensors tensors = new CheckpointTensors(checkpoint, temporary, backend.workers(), unseen);
            Tensor stored = spec.transposed() ? tensors.transposed(spec.name()) : tensors.get(spec.name());
            Tensor value = backend.copy(stored, to);
            CheckpointTensors.release(stored);
            return value;
        }
    }

    private Architecture.TensorSource source(boolean ofGradients) {
        return new Architecture.TensorSource() {
            @Override
            public Tensor get(String name) {
                Parameter parameter = parameters.get(name);
                return ofGradients ? parameter.gradient() : parameter.value();
            }

            @Override
            public Tensor transposed(String name) {
                return get(name); // has been turned round already
            }
        };
    }

    private Weight matrix(String name) {
        Parameter parameter = parameters.get(name);
        Weight weight = Weight.of(parameter.value());
        gradients.put(weight, Weight.of(parameter.gradient()));
        return weight;
    }

    private Tensor vector(String name) {
        Parameter parameter = parameters.get(name);
        gradients.put(parameter.value(), parameter.gradient());
        return parameter.value();
    }

    private void register(LayerWeights values, LayerWeights ofGradients) {
        gradients.put(values.attnNorm(), ofGradients.attnNorm());
        gradients.put(values.qkv(), ofGradients.qkv());
        gradients.put(values.attnOut(), ofGradients.attnOut());
        gradients.put(values.ffnNorm(), ofGradients.ffnNorm());
        gradients.put(values.gateUp(), ofGradients.gateUp());
        gradients.put(values.down(), ofGradients.down());
    }

    /** Where the gradient of a weight of this store is gathered. */
    Weight gradientOf(Weight weight) {
        return (Weight) gradients.get(weight);
    }

    /** Likewise of a vector. */
    Tensor gradientOf(Tensor vector) {
        return (Tensor) gradients.get(vector);
    }

    /** In the order of the computation. */
    public List<Parameter> parameters() {
        return List.copyOf(parameters.values());
    }

    /** Sets all gradients to zero. */
    public void clearGradients() {
        parameters.values().forEach(p -> p.gradient().clear());
    }

    /**
     * Writes them as a checkpoint of their architecture.
     *
     * @param dtype F32, F16 or BF16
     * @throws io.telechat.core.InvalidModelException if there is one already, or it cannot be written
     */
    public void write(Path directory, DType dtype) {
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        parameters
                .values()
                .forEach(p -> entries.put(
                        p.name(), new SafetensorsWriter.Entry(dtype, p.spec().shape())));
        CheckpointWriter.write(directory, entries, (name, to) -> {
            Parameter parameter = parameters.get(name);
            StoredLayout.write(backend.toHost(parameter.master()), parameter.spec(), to, backend.workers());
        });
    }

    @Override
    public Weight embedding() {
        return embedding;
    }

    @Override
    public Optional<Tensor> embeddingNorm() {
        return embeddingNorm;
    }

    @Override
    public void prefetch(int layer) {
        // Nothing is ever away.
    }

    @Override
    public LayerLease lease(int layer) {
        return layers.get(layer);
    }

    @Override
    public Tensor finalNorm() {
        return finalNorm;
    }

    @Override
    public Weight head() {
        return head;
    }

    @Override
    public void close() {
        arena.close();
    }
}
