// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.training;

import io.telechat.core.architecture.Architecture;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.ModelWeights;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.architecture.WeightSource;
import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.CheckpointWriter;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.model.ResidentParameters;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.weights.CheckpointTensors;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.weights.StoredLayout;
import io.telechat.core.weights.WeightScan;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * All parameters in F32 with a gradient of the same shape for each, by the tensors of the checkpoint. Matrices are [out, in],
 * also those that the checkpoint stores the other way round; they may be computed with in BF16.
 */
public final class TrainableParameters implements AutoCloseable {
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
    private final TensorArena masterArena;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final ParameterStore values;
    private final ModelWeights gradients;

    /**
     * Copies the tensors of a checked checkpoint, which is still the caller's.
     *
     * @param dtype of the matrices that are computed with: F32 or BF16
     */
    public TrainableParameters(ModelLoader.Checked checked, Backend backend, DType dtype) {
        this(checked, backend, dtype, backend.memory().newArena());
    }

    /**
     * Likewise.
     *
     * @param masterArena for the F32 originals of what is rounded; belongs to this object from now on
     */
    public TrainableParameters(ModelLoader.Checked checked, Backend backend, DType dtype, TensorArena masterArena) {
        this.backend = backend;
        this.arena = backend.memory().newArena();
        this.masterArena = masterArena;
        ModelConfig config = checked.config();
        Architecture architecture = config.architecture();
        try {
            for (TensorSpec spec : architecture.tensors(config)) {
                boolean rounded = dtype != DType.F32 && spec.shape().rank() > 1;
                Tensor master = read(checked.checkpoint(), spec, rounded ? masterArena : arena);
                master.leaveMemory();
                long[] shape = master.shape().toArray();
                Tensor value = rounded ? arena.allocate(dtype, shape) : master;
                Tensor gradient = arena.allocate(DType.F32, shape);
                parameters.put(spec.name(), new Parameter(spec.name(), spec, master, value, gradient));
            }
            round(Rounding.NEAREST, 0);
            values = new ResidentParameters(architecture.assemble(config, source(Parameter::value)));
            gradients = architecture.assemble(config, source(Parameter::gradient));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private WeightSource source(Function<Parameter, Tensor> part) {
        return new WeightSource() {
            @Override
            public Tensor get(String name) {
                return part.apply(parameters.get(name));
            }

            @Override
            public Tensor transposed(String name) {
                return get(name); // has been turned round already
            }
        };
    }

    /** What is computed with; nothing of it has to be closed. */
    public ParameterStore values() {
        return values;
    }

    /** Where the gradients of {@link #values} are gathered. */
    public ModelWeights gradients() {
        return gradients;
    }

    /** Brings the rounded copies up to date with the masters. */
    public void round(Rounding rounding, long seed) {
        int index = 0;
        for (Parameter parameter : parameters.values()) {
            if (parameter.value() != parameter.master()) {
                backend.gradOps().round(parameter.master(), parameter.value(), rounding, SplitMix.seed(seed, index));
                parameter.master().leaveMemory();
            }
            index++;
        }
    }

    /** Takes the values of another checkpoint of the same model; what is rounded is still to be rounded. */
    public void read(Checkpoint checkpoint) {
        for (Parameter parameter : parameters.values()) {
            try (TensorArena temporary = backend.memory().newArena()) {
                backend.memory().write(read(checkpoint, parameter.spec(), temporary), parameter.master());
            }
        }
    }

    private Tensor read(Checkpoint checkpoint, TensorSpec spec, TensorArena to) {
        try (HostArena temporary = new HostArena()) {
            WeightScan unseen = WeightScan.blind(backend.workers());
            CheckpointTensors tensors = new CheckpointTensors(checkpoint, temporary, backend.workers(), unseen);
            Tensor stored = spec.transposed() ? tensors.transposed(spec.name()) : tensors.get(spec.name());
            Tensor value = backend.memory().copy(stored, to);
            stored.leaveMemory();
            return value;
        }
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
            StoredLayout.write(backend.memory().toHost(parameter.master()), parameter.spec(), to, backend.workers());
            parameter.master().leaveMemory();
        });
    }

    @Override
    public void close() {
        arena.close();
        masterArena.close();
    }
}
