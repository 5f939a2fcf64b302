// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.weights.ModelLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/** LoRA adapters of rank 3 with random weights that change what a model says. */
public final class TinyAdapters {
    private static final int RANK = 3;

    private TinyAdapters() {}

    /**
     * Makes one in PEFT's format.
     *
     * @param out its directory, which is made
     * @param targets last parts of the names of the modules that it adds to
     */
    public static Path make(Path out, Path model, List<String> targets, long seed) throws IOException {
        LoraConfig config = new LoraConfig(RANK, 2 * RANK, false, 0, targets);
        Random random = new Random(seed);
        Map<String, LoraFiles.Pair> pairs = new TreeMap<>();
        Files.createDirectories(out);
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                HostArena arena = new HostArena()) {
            checked.config().architecture().tensors(checked.config()).forEach(spec -> {
                String module = spec.name().replaceFirst("\\.weight$", "");
                if (targets.stream().anyMatch(t -> module.endsWith("." + t))) {
                    long in = spec.computedShape().dim(1);
                    pairs.put(
                            module,
                            new LoraFiles.Pair(
                                    random(random, arena, RANK, in),
                                    random(random, arena, spec.computedShape().dim(0), RANK)));
                }
            });
            boolean turned = checked.config().architecture().name().contains("52B");
            LoraFiles.write(out, Optional.of(model), config, pairs, turned);
        }
        return out;
    }

    private static Tensor random(Random random, TensorArena arena, long rows, long columns) {
        Tensor tensor = arena.allocate(DType.F32, rows, columns);
        for (long i = 0; i < rows * columns; i++) {
            tensor.setFloat(i, (float) random.nextGaussian() / 8);
        }
        return tensor;
    }
}
