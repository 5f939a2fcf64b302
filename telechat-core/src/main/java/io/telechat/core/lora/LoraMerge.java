// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.InvalidModelException;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.CheckpointWriter;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.workers.WorkerTeam;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Adds an adapter to the weights it belongs to, {@code W + scale · b·a}, or takes it off again, in the type that the weights
 * have; one tensor at a time.
 */
public final class LoraMerge {
    private static final String SUFFIX = ".weight";

    private LoraMerge() {}

    /**
     * @param sign 1 to merge, -1 to unmerge
     * @throws InvalidModelException if the adapter does not fit, the model is quantized, or the output cannot be written
     */
    public static void write(
            ModelLoader.Checked checked, LoraFiles adapter, Path source, Path out, int sign, WorkerTeam workers) {
        Checkpoint checkpoint = checked.checkpoint();
        if (checked.isQuantized()) {
            throw new InvalidModelException(
                    "%s: is quantized; merge into the original, then quantize", checkpoint.directory());
        }
        new LoraTargets(checked.config()).check(adapter.config(), adapter.modules(), source);
        Map<String, TensorSpec> specs = new LinkedHashMap<>();
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        for (TensorSpec spec : checked.config().architecture().tensors(checked.config())) {
            specs.put(spec.name(), spec);
            entries.put(
                    spec.name(),
                    new SafetensorsWriter.Entry(checkpoint.dtype(spec.name()), checkpoint.shape(spec.name())));
        }
        CheckpointWriter.write(out, entries, (name, to) -> {
            to.segment().copyFrom(checkpoint.tensor(name).segment());
            String module = name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
            LoraFiles.Pair pair = adapter.modules().get(module);
            if (pair != null) {
                add(pair, sign * adapter.config().scale(module), specs.get(name).transposed(), to, workers);
            }
        });
    }

    private static void add(LoraFiles.Pair pair, double scale, boolean transposed, Tensor to, WorkerTeam workers) {
        int rank = (int) pair.a().rows();
        long in = pair.a().columns();
        long out = pair.b().rows();
        workers.run(Math.toIntExact(out), (row, worker) -> {
            for (long column = 0; column < in; column++) {
                double sum = 0;
                for (int r = 0; r < rank; r++) {
                    sum += (double) pair.b().getFloat((long) row * rank + r)
                            * pair.a().getFloat(r * in + column);
                }
                long at = transposed ? column * out + row : row * in + column;
                to.setFloat(at, (float) (to.getFloat(at) + scale * sum));
            }
        });
    }
}
