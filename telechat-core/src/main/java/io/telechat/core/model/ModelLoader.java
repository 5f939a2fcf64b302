// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.InvalidModelException;
import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a checkpoint directory to a model: reads headers, recognises the flavour, checks every tensor's name, shape and
 * type, presents the memory bill, and only then loads.
 */
public final class ModelLoader {
    private static final Logger LOG = LoggerFactory.getLogger(ModelLoader.class);
    private static final int NAMES_SHOWN = 5;

    private ModelLoader() {}

    /** A checkpoint that has passed all checks, not loaded yet. */
    public record Checked(Checkpoint checkpoint, ModelConfig config) implements AutoCloseable {
        /** Bytes that the weights take on a backend. */
        public long weightBytes(Backend backend) {
            return checkpoint.names().stream()
                    .mapToLong(n -> backend.placedBytes(
                            checkpoint.dtype(n), checkpoint.shape(n).elements()))
                    .sum();
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
        if (!Files.isDirectory(directory)) {
            throw new InvalidModelException(
                    "%s: is not a directory; give the directory of a checkpoint, with its config.json"
                            .formatted(directory));
        }
        ConfigFile file = ConfigFile.read(directory.resolve("config.json"));
        Checkpoint checkpoint = Checkpoint.open(directory);
        try {
            ModelConfig config = Architectures.of(file, checkpoint.names()).readConfig(file, checkpoint.names());
            checkTensors(checkpoint, config);
            return new Checked(checkpoint, config);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /** Loads a checked model onto a backend; closing the model closes both. */
    public static CausalLm load(Checked checked, Backend backend, LoadProgress progress) {
        return load(checked, backend, backend.ops(), progress);
    }

    /** Likewise, with the backend's operations decorated. */
    public static CausalLm load(Checked checked, Backend backend, Ops ops, LoadProgress progress) {
        WeightScan scan = new WeightScan(checked.checkpoint(), backend.workers(), progress);
        scan.findNaN()
                .ifPresent(where -> LOG.warn(
                        "{}: {}; answers will be useless", checked.checkpoint().directory(), where));
        ResidentParameters parameters = new ResidentParameters(checked.checkpoint(), checked.config(), backend);
        return new CausalLm(checked.config(), parameters, backend, ops);
    }

    private static void checkTensors(Checkpoint checkpoint, ModelConfig config) {
        List<String> missing = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        Set<String> unexpected = new TreeSet<>(checkpoint.names());
        for (TensorSpec spec : config.architecture().tensors(config)) {
            if (!unexpected.remove(spec.name())) {
                missing.add(spec.name());
                continue;
            }
            Shape shape = checkpoint.shape(spec.name());
            DType dtype = checkpoint.dtype(spec.name());
            if (!shape.equals(spec.shape())) {
                wrong.add("'%s' is %s, config.json makes it %s".formatted(spec.name(), shape, spec.shape()));
            } else if (dtype != DType.F32 && dtype != DType.F16 && dtype != DType.BF16) {
                wrong.add("'%s' is %s, must be F32, F16 or BF16".formatted(spec.name(), dtype));
            }
        }
        unexpected.removeIf(config.architecture()::ignores);
        if (config.tiedHead()) {
            unexpected.remove("lm_head.weight"); // some tools write the tied head as well
        }
        List<String> complaints = new ArrayList<>();
        describe(complaints, "missing", missing);
        describe(complaints, "unexpected", List.copyOf(unexpected));
        describe(complaints, "of wrong shape or type", wrong);
        if (!complaints.isEmpty()) {
            throw new InvalidModelException("%s: not a complete %s checkpoint: %s"
                    .formatted(checkpoint.directory(), config.architecture().name(), String.join("; ", complaints)));
        }
    }

    private static void describe(List<String> complaints, String what, List<String> names) {
        if (!names.isEmpty()) {
            String shown = String.join(", ", names.subList(0, Math.min(NAMES_SHOWN, names.size())));
            String more = names.size() > NAMES_SHOWN ? " and %d more".formatted(names.size() - NAMES_SHOWN) : "";
            complaints.add("%d %s %s: %s%s"
                    .formatted(names.size(), names.size() == 1 ? "tensor" : "tensors", what, shown, more));
        }
    }
}
