// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.backend.Backend;
import io.telechat.core.model.LayerLease;
import io.telechat.core.model.ModelConfig;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.TensorArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** All adapters of a model, by the weights they belong to. */
public final class LoraAdapters implements AutoCloseable {
    private final LoraConfig config;
    private final Backend backend;
    private final TensorArena arena;
    private final boolean fanInFanOut;
    private final LoraTargets targets;
    private final List<LoraWeight> all = new ArrayList<>();
    private final Map<Weight, LoraWeight> byWeight = new IdentityHashMap<>();

    /**
     * Adapters of zeros for all targets.
     *
     * @throws io.telechat.core.InvalidModelException if the model has none of them
     */
    public LoraAdapters(ModelConfig model, ParameterStore parameters, LoraConfig config, Backend backend) {
        this.config = config;
        this.backend = backend;
        this.targets = new LoraTargets(model);
        this.fanInFanOut = targets.fanInFanOut();
        targets.check(config, Map.of(), "LoRA");
        this.arena = backend.newArena();
        for (int i = 0; i < model.layers(); i++) {
            List<LoraTargets.Composition> compositions = targets.layer(i, config);
            try (LayerLease lease = parameters.lease(i)) {
                List<Weight> weights = LoraTargets.weights(lease.weights());
                for (int w = 0; w < weights.size(); w++) {
                    if (compositions.get(w) != null) {
                        LoraWeight adapter = LoraWeight.allocate(compositions.get(w), config, arena);
                        all.add(adapter);
                        byWeight.put(weights.get(w), adapter);
                    }
                }
            }
        }
    }

    /** Those of a directory in PEFT's format. */
    public static LoraAdapters read(Path directory, ModelConfig model, ParameterStore parameters, Backend backend) {
        try (LoraFiles files = LoraFiles.read(directory)) {
            LoraAdapters adapters = new LoraAdapters(model, parameters, files.config(), backend);
            adapters.set(files, directory);
            return adapters;
        }
    }

    /** Takes the values of a file. */
    public void set(LoraFiles files, Path source) {
        targets.check(config, files.modules(), source);
        all.forEach(w -> w.set(files.modules(), backend));
    }

    /** Takes random values for {@code a} and zeros for {@code b}: the adapted model begins as the model itself. */
    public void initialize(long seed) {
        Map<String, LoraFiles.Pair> pairs = new TreeMap<>();
        try (HostArena memory = new HostArena()) {
            all.forEach(w -> pairs.putAll(LoraInit.pairs(w.composition(), config.rank(), seed, memory)));
            all.forEach(w -> w.set(pairs, backend));
        }
    }

    public LoraConfig config() {
        return config;
    }

    public List<LoraWeight> all() {
        return List.copyOf(all);
    }

    /** That of a weight of the model, if there is one. */
    public Optional<LoraWeight> of(Weight weight) {
        return Optional.ofNullable(byWeight.get(weight));
    }

    /** Writes them in PEFT's format into an existing directory. */
    public void write(Path directory) {
        try (HostArena memory = new HostArena()) {
            Map<String, LoraFiles.Pair> pairs = new TreeMap<>();
            all.forEach(w -> pairs.putAll(w.get(backend, memory)));
            LoraFiles.write(directory, config, pairs, fanInFanOut);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
