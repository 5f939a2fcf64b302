// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.train.data.TrainingData;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Rows to train on, as process-data would write them. */
final class TinySamples {
    static final int TOKENS = 12;

    private static final int VOCABULARY = 300;

    private TinySamples() {}

    /** Random rows of two dialogs and a token of padding; the second half of each dialog is trained. */
    static List<TrainingData.Sample> random(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<TrainingData.Sample> samples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] ids = random.ints(TOKENS, 4, VOCABULARY).toArray();
            ids[TOKENS - 1] = 3;
            samples.add(new TrainingData.Sample(
                    ids, new byte[] {0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0}, new int[] {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0
                    }));
        }
        return samples;
    }

    /** @return the directory, created if need be */
    static Path write(Path directory, List<TrainingData.Sample> samples) throws IOException {
        Files.createDirectories(directory);
        int tokens = samples.getFirst().ids().length;
        Shape shape = Shape.of(samples.size(), tokens);
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        entries.put("input_ids", new SafetensorsWriter.Entry(DType.I32, shape));
        entries.put("loss_mask", new SafetensorsWriter.Entry(DType.U8, shape));
        entries.put("sequence_ids", new SafetensorsWriter.Entry(DType.I32, shape));
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(directory.resolve("train_data_0.safetensors"), entries)) {
            for (int i = 0; i < samples.size(); i++) {
                TrainingData.Sample sample = samples.get(i);
                ints(writer, "input_ids", i, sample.ids());
                ints(writer, "sequence_ids", i, sample.sequences());
                MemorySegment mask = writer.tensor("loss_mask").segment();
                MemorySegment.copy(sample.mask(), 0, mask, ValueLayout.JAVA_BYTE, (long) i * tokens, tokens);
            }
            writer.commit();
        }
        return directory;
    }

    private static void ints(SafetensorsWriter writer, String name, int row, int[] values) {
        MemorySegment segment = writer.tensor(name).segment();
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_INT_UNALIGNED, 4L * row * values.length, values.length);
    }
}
