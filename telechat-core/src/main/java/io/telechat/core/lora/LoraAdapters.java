// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.TensorArena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** All adapters of a model, by the weights they belong to. */
public final class LoraAdapters implements AutoCloseable {
    private final LoraConfig config;
    private final DeviceMemory memory;
    private final TensorArena arena;
    private final boolean fanInFanOut;
    private final LoraTargets targets;
    private final Map<WeightId, LoraWeight> byWeight = new LinkedHashMap<>();

    /**
     * Adapters of zeros for all targets.
     *
     * @throws io.telechat.core.InvalidModelException if the model has none of them
     */
    public LoraAdapters(ModelConfig model, LoraConfig config, Backend backend) {
        this(ModelPart.whole(model), config, backend);
    }

    /** Of a part of a model that is cut, those of its share of the weights. */
    private LoraAdapters(ModelPart part, LoraConfig config, Backend backend) {
        this.config = config;
        this.memory = backend.memory();
        this.targets = new LoraTargets(part);
        this.fanInFanOut = targets.fanInFanOut();
        targets.requireAny(config, "LoRA");
        this.arena = memory.newArena();
        for (int i = 0; i < part.whole().layers(); i++) {
            targets.layer(i, config)
                    .forEach((id, composition) ->
                            byWeight.put(id, LoraWeight.allocate(composition, part.columns(id.part()), config, arena)));
        }
    }

    /** Those of a directory in PEFT's format. */
    public static LoraAdapters read(Path directory, ModelConfig model, Backend backend) {
        return read(directory, ModelPart.whole(model), backend);
    }

    /** Likewise, what a part of a model that is cut needs of them. */
    public static LoraAdapters read(Path directory, ModelPart part, Backend backend) {
        try (LoraFiles files = LoraFiles.read(directory)) {
            LoraAdapters adapters = new LoraAdapters(part, files.config(), backend);
            try {
                adapters.set(files, directory);
            } catch (RuntimeException | Error e) {
                adapters.close();
                throw e;
            }
            return adapters;
        }
    }

    /** Takes the values of a file. */
    public void set(LoraFiles files, Path source) {
        targets.check(config, files.modules(), source);
        all().forEach(w -> w.set(files.modules(), memory));
    }

    /** Takes random values for {@code a} and zeros for {@code b}: the adapted model begins as the model itself. */
    public void initialize(long seed) {
        Map<String, LoraFiles.Pair> pairs = new TreeMap<>();
        try (HostArena host = new HostArena()) {
            all().forEach(w -> pairs.putAll(LoraInit.pairs(w.composition(), config.rank(), seed, host)));
            all().forEach(w -> w.set(pairs, memory));
        }
    }

    public LoraConfig config() {
        return config;
    }

    public List<LoraWeight> all() {
        return List.copyOf(byWeight.values());
    }

    /** That of a weight of the model, if there is one. */
    public Optional<LoraWeight> of(Weight weight) {
        return Optional.ofNullable(byWeight.get(weight.id()));
    }

    /**
     * Writes them in PEFT's format into an existing directory.
     *
     * @param base directory of the model that they belong to
     */
    public void write(Path directory, Path base) {
        try (HostArena host = new HostArena()) {
            Map<String, LoraFiles.Pair> pairs = new TreeMap<>();
            all().forEach(w -> pairs.putAll(w.get(memory, host)));
            LoraFiles.write(directory, Optional.of(base), config, pairs, fanInFanOut);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
