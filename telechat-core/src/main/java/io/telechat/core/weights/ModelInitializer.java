// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.InvalidModelException;
import io.telechat.core.architecture.Architectures;
import io.telechat.core.architecture.ConfigFile;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.checkpoint.CheckpointWriter;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes a checkpoint with random weights, as its architecture's reference initialises them. Every chunk of every tensor has
 * a random stream of its own, so the same seed gives the same bytes for any number of threads.
 */
public final class ModelInitializer {
    private static final int CHUNK = 1 << 16;

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
     * @param configFile in the original keys of a published architecture
     * @return what was made
     * @throws InvalidModelException if the directory has weights already, or cannot be written
     */
    public ModelConfig write(Path configFile, Path directory) {
        ConfigFile file = ConfigFile.read(configFile);
        ModelConfig config = Architectures.of(file, Set.of()).readConfig(file, Set.of());
        List<TensorSpec> specs = config.architecture().tensors(config);
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        Map<String, Integer> indices = new HashMap<>();
        for (TensorSpec spec : specs) {
            indices.put(spec.name(), indices.size());
            entries.put(spec.name(), new SafetensorsWriter.Entry(dtype, spec.shape()));
        }
        long total = entries.values().stream()
                .mapToLong(SafetensorsWriter.Entry::bytes)
                .sum();
        AtomicLong done = new AtomicLong();
        CheckpointWriter.write(directory, entries, (name, tensor) -> {
            int index = indices.get(name);
            fill(tensor, specs.get(index).init(), index);
            progress.loaded(done.addAndGet(tensor.bytes()), total);
        });
        try {
            Files.copy(configFile, directory.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", directory, IoReason.of(e));
        }
        return config;
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
