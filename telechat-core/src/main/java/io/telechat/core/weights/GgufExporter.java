// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.GgufWriter;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.gguf.GgufBlocks;
import io.telechat.core.gguf.GgufExportValues;
import io.telechat.core.gguf.GgufHeader.Entry;
import io.telechat.core.gguf.GgufNames;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.gguf.GgufValues;
import io.telechat.core.gguf.RotatedRows;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongUnaryOperator;

/**
 * Writes a checkpoint as a GGUF file that llama.cpp reads, where that knows the architecture. Matrices have the type that is
 * asked for, or F16 where their rows are no whole blocks of it; all else is F32. One tensor at a time is in memory.
 *
 * @param type F32, F16, BF16 or Q8_0
 */
public record GgufExporter(GgufType type, WorkerTeam workers, LoadProgress progress) {
    /**
     * @param model what {@code checked} was read from
     * @param target the file to write; it is there when it is whole
     * @throws InvalidModelException if GGUF cannot hold this model, or the file cannot be written
     */
    public void write(ModelLoader.Checked checked, Path model, Path target) {
        if (Files.exists(target)) {
            throw new InvalidModelException("%s: is there already; choose another file", target);
        }
        ModelFiles files = ModelFiles.of(model);
        JsonNode config = files.json("config.json");
        GgufValues values = new GgufValues();
        Optional<float[]> divisors = GgufExportValues.write(files.path("config.json"), config, type, values);
        GgufTokenizerWriter.write(files, checked.config().vocabSize(), values);
        Map<String, TensorSpec> specs = new LinkedHashMap<>();
        Map<String, Entry> entries = new LinkedHashMap<>();
        divisors.ifPresent(d -> entries.put(GgufNames.ROPE_FACTORS, new Entry(GgufType.F32, Shape.of(d.length))));
        for (TensorSpec spec : checked.config().architecture().tensors(checked.config())) {
            String name = GgufNames.ofGguf(spec.name())
                    .orElseThrow(
                            () -> new InvalidModelException("%s: tensor '%s' has no name in GGUF", model, spec.name()));
            specs.put(name, spec);
            entries.put(name, new Entry(typeOf(spec.shape()), spec.shape()));
        }
        try (GgufWriter writer = GgufWriter.create(target, values, entries)) {
            divisors.ifPresent(d -> MemorySegment.copy(
                    d, 0, writer.tensor(GgufNames.ROPE_FACTORS), ValueLayout.JAVA_FLOAT_UNALIGNED, 0, d.length));
            writeTensors(checked, config, specs, entries, writer);
            writer.commit();
        }
    }

    private GgufType typeOf(Shape shape) {
        if (shape.rank() != 2) {
            return GgufType.F32;
        }
        return shape.dim(1) % type.blockElements() == 0 ? type : GgufType.F16;
    }

    private void writeTensors(
            ModelLoader.Checked checked,
            JsonNode config,
            Map<String, TensorSpec> specs,
            Map<String, Entry> entries,
            GgufWriter writer) {
        Checkpoint checkpoint = checked.checkpoint();
        boolean isTurned = config.path("model_type").asText().equals("llama");
        RotatedRows order = new RotatedRows(headDim(checked.config()));
        WeightScan scan = new WeightScan(workers, progress, checkpoint.bytes(), true);
        specs.forEach((name, spec) -> {
            boolean turned = isTurned && GgufNames.isRotated(spec.name());
            try (HostArena arena = new HostArena()) {
                Tensor from = checkpoint.tensor(spec.name(), arena);
                scan.see(spec.name(), from);
                scan.complaint().ifPresent(where -> {
                    throw new InvalidModelException("%s: %s", checkpoint.directory(), where);
                });
                write(from, entries.get(name).type(), turned ? order::inGguf : row -> row, writer.tensor(name));
            }
        });
    }

    private void write(Tensor from, GgufType to, LongUnaryOperator places, MemorySegment segment) {
        Rows rows = new Rows(from, to, segment);
        workers.run(Math.toIntExact(rows.count()), (row, worker) -> rows.write(row, places.applyAsLong(row)));
        from.leaveMemory();
        segment.unload(); // what is written stays with the system, not with us
    }

    private static int headDim(ModelConfig config) {
        return config.heads().headDim();
    }

    /** The rows of a tensor on their way; of a vector each element is one, so that these can change places, too. */
    private record Rows(Tensor from, GgufType type, MemorySegment to) {
        long count() {
            return from.rows();
        }

        void write(long row, long place) {
            int columns = Math.toIntExact(from.columns());
            float[] values = new float[columns];
            if (from.shape().rank() == 2) {
                FloatRows.copy(from, row, values);
            } else {
                values[0] = from.getFloat(row);
            }
            long bytes = type.bytes(columns);
            MemorySegment target = to.asSlice(place * bytes, bytes);
            if (type == GgufType.Q8_0) {
                GgufBlocks.quantizeQ8(values, columns, target);
                return;
            }
            Tensor tensor = Tensor.over(target, type.nearest(), columns);
            for (int i = 0; i < columns; i++) {
                tensor.setFloat(i, values[i]);
            }
        }
    }
}
