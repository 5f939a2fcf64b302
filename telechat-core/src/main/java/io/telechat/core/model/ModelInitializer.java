// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Makes a checkpoint with random weights, as its architecture's reference initialises them. Every chunk of every tensor has
 * a random stream of its own, so the same seed gives the same bytes for any number of threads.
 */
public final class ModelInitializer {
    private static final int CHUNK = 1 << 16;
    /** Size from which on the makers' own tools cut checkpoints into shards. */
    private static final long SHARD_BYTES = 5_000_000_000L;

    private final long seed;
    private final DType dtype;
    private final WorkerTeam workers;
    private final LoadProgress progress;

    /** @param dtype F32, F16 or BF16 */
    public ModelInitializer(long seed, DType dtype, WorkerTeam workers, LoadProgress progress) {
        this.seed = seed;
        this.dtype = dtype;
        this.workers = workers;
        this.progress = progress;
    }

    /**
     * Writes config.json and the weights into a directory, which is created if need be.
     *
     * @param configFile in the original keys of a published flavour
     * @return what was made
     * @throws InvalidModelException if the directory has weights already, or cannot be written
     */
    public ModelConfig write(Path configFile, Path directory) {
        ConfigFile file = ConfigFile.read(configFile);
        ModelConfig config = Architectures.of(file, Set.of()).readConfig(file, Set.of());
        try {
            Files.createDirectories(directory);
            for (String name : List.of("model.safetensors", "model.safetensors.index.json")) {
                if (Files.exists(directory.resolve(name))) {
                    throw new InvalidModelException("%s: there is a model already; choose another directory"
                            .formatted(directory.resolve(name)));
                }
            }
            writeShards(shards(config.architecture().tensors(config)), directory);
            Files.copy(configFile, directory.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new InvalidModelException("%s: cannot be written: %s".formatted(directory, IoReason.of(e)), e);
        }
        return config;
    }

    private List<List<TensorSpec>> shards(List<TensorSpec> specs) {
        List<List<TensorSpec>> shards = new ArrayList<>();
        long size = SHARD_BYTES;
        for (TensorSpec spec : specs) {
            long bytes = spec.shape().elements() * dtype.bytes();
            if (size + bytes > SHARD_BYTES) {
                shards.add(new ArrayList<>());
                size = 0;
            }
            shards.getLast().add(spec);
            size += bytes;
        }
        return shards;
    }

    private void writeShards(List<List<TensorSpec>> shards, Path directory) throws IOException {
        long total = shards.stream()
                .flatMap(List::stream)
                .mapToLong(s -> s.shape().elements() * dtype.bytes())
                .sum();
        long done = 0;
        int index = 0;
        ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        ObjectNode json = mapper.createObjectNode();
        json.putObject("metadata").put("total_size", total);
        ObjectNode weightMap = json.putObject("weight_map");
        for (int i = 0; i < shards.size(); i++) {
            String name = shards.size() == 1
                    ? "model.safetensors"
                    : "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
            for (TensorSpec spec : shards.get(i)) {
                entries.put(spec.name(), new SafetensorsWriter.Entry(dtype, spec.shape()));
                weightMap.put(spec.name(), name);
            }
            try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve(name), entries)) {
                for (TensorSpec spec : shards.get(i)) {
                    fill(writer.tensor(spec.name()), spec.init(), index++);
                    done += spec.shape().elements() * dtype.bytes();
                    progress.loaded(done, total);
                }
                writer.commit();
            }
        }
        if (shards.size() > 1) {
            mapper.writeValue(directory.resolve("model.safetensors.index.json").toFile(), json);
        }
    }

    private void fill(Tensor tensor, TensorSpec.Init init, int index) {
        long elements = tensor.shape().elements();
        workers.run(Math.toIntExact((elements + CHUNK - 1) / CHUNK), (chunk, worker) -> {
            long from = (long) chunk * CHUNK;
            long to = Math.min(elements, from + CHUNK);
            switch (init) {
                case TensorSpec.Init.Constant constant -> {
                    for (long i = from; i < to; i++) {
                        tensor.setFloat(i, constant.value());
                    }
                }
                case TensorSpec.Init.Normal normal -> {
                    SplittableRandom random = new SplittableRandom(SplitMix.seed(SplitMix.seed(seed, index), chunk));
                    for (long i = from; i < to; i++) {
                        tensor.setFloat(i, (float) random.nextGaussian(0, normal.deviation()));
                    }
                }
            }
        });
    }
}
