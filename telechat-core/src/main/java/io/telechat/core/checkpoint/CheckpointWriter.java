// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the weights of a checkpoint: one safetensors file, or shards of at most 5 GB with an index, which comes last. One
 * tensor after the other is filled and let go, so memory is bounded by the largest.
 */
public final class CheckpointWriter {
    /** Size from which on the makers' own tools cut checkpoints into shards. */
    private static final long SHARD_BYTES = 5_000_000_000L;

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = SINGLE + ".index.json";

    private CheckpointWriter() {}

    /** Computes the elements of one tensor. */
    @FunctionalInterface
    public interface Filler {
        /** @param tensor of the type and shape that was asked for, all zeros */
        void fill(String name, Tensor tensor);
    }

    /**
     * @param directory created if need be
     * @param entries what to write, in this order
     * @throws InvalidModelException if the directory has weights already, or cannot be written
     */
    public static void write(Path directory, Map<String, SafetensorsWriter.Entry> entries, Filler filler) {
        try {
            Files.createDirectories(directory);
            for (String name : List.of(SINGLE, INDEX)) {
                if (Files.exists(directory.resolve(name))) {
                    throw new InvalidModelException(
                            "%s: there is a model already; choose another directory", directory.resolve(name));
                }
            }
            writeShards(directory, shards(entries), filler);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", directory, IoReason.of(e));
        }
    }

    private static List<Map<String, SafetensorsWriter.Entry>> shards(Map<String, SafetensorsWriter.Entry> entries) {
        List<Map<String, SafetensorsWriter.Entry>> shards = new ArrayList<>();
        long size = SHARD_BYTES;
        for (Map.Entry<String, SafetensorsWriter.Entry> e : entries.entrySet()) {
            if (size + e.getValue().bytes() > SHARD_BYTES) {
                shards.add(new LinkedHashMap<>());
                size = 0;
            }
            shards.getLast().put(e.getKey(), e.getValue());
            size += e.getValue().bytes();
        }
        return shards;
    }

    private static void writeShards(Path directory, List<Map<String, SafetensorsWriter.Entry>> shards, Filler filler)
            throws IOException {
        ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        ObjectNode index = mapper.createObjectNode();
        index.putObject("metadata")
                .put(
                        "total_size",
                        shards.stream()
                                .flatMap(shard -> shard.values().stream())
                                .mapToLong(SafetensorsWriter.Entry::bytes)
                                .sum());
        ObjectNode weightMap = index.putObject("weight_map");
        for (int i = 0; i < shards.size(); i++) {
            String file =
                    shards.size() == 1 ? SINGLE : "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve(file), shards.get(i))) {
                for (String name : shards.get(i).keySet()) {
                    Tensor tensor = writer.tensor(name);
                    filler.fill(name, tensor);
                    tensor.segment().unload(); // what is written stays with the system, not with us
                    weightMap.put(name, file);
                }
                writer.commit();
            }
        }
        if (shards.size() > 1) {
            mapper.writeValue(directory.resolve(INDEX).toFile(), index);
        }
    }
}
