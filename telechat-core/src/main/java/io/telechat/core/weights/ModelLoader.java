// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.architecture.Architectures;
import io.telechat.core.architecture.ConfigFile;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.architecture.ModelWeights;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.architecture.WeightSource;
import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.model.ResidentParameters;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.TensorArena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a checkpoint directory, or a GGUF file, to a model: reads headers, recognises the architecture, checks every tensor's name, shape and
 * type, presents the memory bill, and only then loads.
 */
public final class ModelLoader {
    private static final Logger LOG = LoggerFactory.getLogger(ModelLoader.class);
    private static final int NAMES_SHOWN = 5;

    private ModelLoader() {}

    /** A checkpoint that has passed all checks, not loaded yet. */
    public record Checked(Checkpoint checkpoint, ModelConfig config) implements AutoCloseable {
        /**
         * Bytes that the weights take on a backend.
         *
         * @param quantization the type that matrices will be rounded to
         */
        public long weightBytes(Backend backend, Optional<DType> quantization) {
            return config.architecture().tensors(config).stream()
                    .mapToLong(spec -> backend.memory()
                            .placedBytes(
                                    spec.loadedType(checkpoint.dtype(spec.name()), quantization), spec.computedShape()))
                    .sum();
        }

        /** The same, whatever the backend. */
        public long loadedBytes(Optional<DType> quantization) {
            return config.architecture().tensors(config).stream()
                    .mapToLong(spec -> spec.loadedBytes(checkpoint.dtype(spec.name()), quantization))
                    .sum();
        }

        /** Whether a matrix is quantized in the file. */
        public boolean isQuantized() {
            return checkpoint.names().stream()
                    .anyMatch(name -> checkpoint.dtype(name).isQuantized());
        }

        @Override
        public void close() {
            checkpoint.close();
        }
    }

    /**
     * Reads and checks headers; touches no weights.
     *
     * @throws InvalidModelException naming every missing, unexpected or misshapen tensor (the first few of each)
     */
    public static Checked check(Path directory) {
        return check(directory, Optional.empty());
    }

    /**
     * Likewise.
     *
     * @param unpacked what matrices turn into that a GGUF file has quantized; empty for the nearest type of ours
     * @throws InvalidModelException likewise
     */
    public static Checked check(Path directory, Optional<DType> unpacked) {
        ModelFiles files = ModelFiles.of(directory);
        if (!files.isGguf() && !Files.isDirectory(directory)) {
            throw new InvalidModelException(
                    "%s: is not a directory; give the directory of a checkpoint, with its config.json, or a GGUF file",
                    directory);
        }
        ConfigFile file = ConfigFile.of(files);
        Checkpoint checkpoint = Checkpoint.open(directory, unpacked);
        try {
            ModelConfig config = Architectures.of(file, checkpoint.names()).readConfig(file, checkpoint.names());
            checkTensors(checkpoint, config);
            return new Checked(checkpoint, config);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /** Loads a checked model onto a backend, as it is stored; closing the model closes both. */
    public static CausalLm load(Checked checked, Backend backend, LoadProgress progress) {
        return load(checked, backend, backend.ops(), Optional.empty(), progress);
    }

    /**
     * Likewise, with the backend's operations decorated.
     *
     * @param quantization Q8 or Q4 to round matrices to that are not quantized yet
     * @throws InvalidModelException if the checkpoint is quantized already, and not so
     */
    public static CausalLm load(
            Checked checked, Backend backend, Ops ops, Optional<DType> quantization, LoadProgress progress) {
        return new CausalLm(checked.config(), parameters(checked, backend, quantization, progress), backend, ops);
    }

    /**
     * The parameters alone, as they are stored or quantized; closing them closes the checkpoint, a failure leaves it open.
     *
     * @throws InvalidModelException likewise
     */
    public static ParameterStore parameters(
            Checked checked, Backend backend, Optional<DType> quantization, LoadProgress progress) {
        return parameters(checked, ModelPart.whole(checked.config()), backend, quantization, progress);
    }

    /**
     * Those of one part of a model that is cut.
     *
     * @throws InvalidModelException likewise
     */
    public static ParameterStore parameters(
            Checked checked, ModelPart part, Backend backend, Optional<DType> quantization, LoadProgress progress) {
        Checkpoint checkpoint = checked.checkpoint();
        quantization.ifPresent(dtype -> requireNotOtherwiseQuantized(checkpoint, dtype));
        if (part.index() == 0) {
            GgufNote.of(checkpoint).ifPresent(note -> LOG.warn(note.localized()));
        }
        long bytes = checked.loadedBytes(part.isCut() ? quantization : Optional.empty()) / part.count();
        WeightScan scan = new WeightScan(backend.workers(), progress, bytes);
        TensorArena device = backend.memory().newArena();
        TensorArena host = new HostArena();
        ModelWeights weights;
        try (PlacedTensors tensors = new PlacedTensors(
                checkpoint, part, backend.memory(), backend.workers(), quantization, scan, device, host)) {
            weights = checked.config().architecture().assemble(checked.config(), tensors);
        } catch (RuntimeException | Error e) {
            device.close();
            host.close();
            throw e;
        }
        scan.complaint()
                .ifPresent(where ->
                        LOG.warn(Message.localized("%s: %s; answers will be useless", checkpoint.directory(), where)));
        return new ResidentParameters(weights, device::close, host::close, checkpoint::close);
    }

    /** Takes weights that are in memory only while it looks at them. */
    @FunctionalInterface
    public interface Visitor<T> {
        T visit(WeightSource tensors);
    }

    /**
     * Lends the tensors of a checkpoint in the form that a backend computes with, as {@link #parameters} has them: what is asked
     * for is loaded, and gone when the visitor returns.
     *
     * @throws InvalidModelException likewise
     */
    public static <T> T visit(Checked checked, Backend backend, Optional<DType> quantization, Visitor<T> visitor) {
        quantization.ifPresent(dtype -> requireNotOtherwiseQuantized(checked.checkpoint(), dtype));
        WeightScan unseen = WeightScan.blind(backend.workers());
        try (TensorArena device = backend.memory().newArena();
                HostArena host = new HostArena();
                PlacedTensors tensors = new PlacedTensors(
                        checked.checkpoint(),
                        ModelPart.whole(checked.config()),
                        backend.memory(),
                        backend.workers(),
                        quantization,
                        unseen,
                        device,
                        host)) {
            return visitor.visit(tensors);
        }
    }

    private static void requireNotOtherwiseQuantized(Checkpoint checkpoint, DType dtype) {
        for (String name : checkpoint.names()) {
            DType stored = checkpoint.dtype(name);
            if (stored.isQuantized() && stored != dtype) {
                throw new InvalidModelException(
                        "%s: is quantized to %s already; quantize the original to %s, or load it as it is",
                        checkpoint.directory(), stored, dtype);
            }
        }
    }

    private static void checkTensors(Checkpoint checkpoint, ModelConfig config) {
        List<String> missing = new ArrayList<>();
        List<Message> wrong = new ArrayList<>();
        Set<String> unexpected = new TreeSet<>(checkpoint.names());
        for (TensorSpec spec : config.architecture().tensors(config)) {
            if (!unexpected.remove(spec.name())) {
                missing.add(spec.name());
                continue;
            }
            Shape shape = checkpoint.shape(spec.name());
            DType dtype = checkpoint.dtype(spec.name());
            if (!shape.equals(spec.storedShape(dtype))) {
                wrong.add(
                        Message.of("'%s' is %s, config.json makes it %s", spec.name(), shape, spec.storedShape(dtype)));
            } else if (!isWeightType(dtype, spec)) {
                wrong.add(Message.of("'%s' is %s, must be F32, F16 or BF16", spec.name(), dtype));
            }
        }
        unexpected.removeIf(config.architecture()::ignores);
        if (config.tiedHead()) {
            unexpected.remove("lm_head.weight"); // some tools write the tied head as well
        }
        List<Message> complaints = new ArrayList<>();
        if (!missing.isEmpty()) {
            complaints.add(Message.of("missing tensors (%d): %s", missing.size(), first(missing)));
        }
        if (!unexpected.isEmpty()) {
            complaints.add(Message.of("unexpected tensors (%d): %s", unexpected.size(), first(unexpected)));
        }
        if (!wrong.isEmpty()) {
            complaints.add(Message.of("tensors of wrong shape or type (%d): %s", wrong.size(), first(wrong)));
        }
        if (!complaints.isEmpty()) {
            throw new InvalidModelException(
                    "%s: not a complete %s checkpoint: %s",
                    checkpoint.directory(), config.architecture().name(), Message.joined("; ", complaints));
        }
    }

    private static boolean isWeightType(DType dtype, TensorSpec spec) {
        return dtype == DType.F32
                || dtype == DType.F16
                || dtype == DType.BF16
                || dtype.isQuantized() && spec.isQuantizable();
    }

    private static Message first(Collection<?> names) {
        List<Object> shown = names.stream().limit(NAMES_SHOWN).collect(Collectors.toCollection(ArrayList::new));
        if (names.size() > NAMES_SHOWN) {
            shown.add("…");
        }
        return Message.joined(", ", shown);
    }
}
