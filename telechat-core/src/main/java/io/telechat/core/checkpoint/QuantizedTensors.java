// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How quantized matrices are kept in a safetensors file, whose format has no types for them: as vectors of bytes, with their
 * real types and shapes in a JSON text under one key of the file's metadata: {@code {"name": {"type": "Q8", "shape": [out,
 * in]}}}. Other readers see a valid file.
 */
final class QuantizedTensors {
    static final String KEY = "telechat.quantized";

    private QuantizedTensors() {}

    static void describe(ObjectNode quantized, String name, SafetensorsWriter.Entry entry) {
        quantized
                .putObject(name)
                .put("type", entry.dtype().name())
                .putArray("shape")
                .add(entry.shape().dim(0))
                .add(entry.shape().dim(1));
    }

    /** Types and shapes of the quantized tensors of a file with this metadata. */
    static Map<String, TensorFile.Info> read(Path path, JsonNode metadata) {
        Map<String, TensorFile.Info> infos = new HashMap<>();
        if (metadata.has(KEY)) {
            byte[] text = metadata.path(KEY).asText().getBytes(StandardCharsets.UTF_8);
            for (Map.Entry<String, JsonNode> e :
                    JsonFiles.parseObject(path, text).properties()) {
                infos.put(e.getKey(), info(path, e.getKey(), e.getValue()));
            }
        }
        return infos;
    }

    private static TensorFile.Info info(Path path, String name, JsonNode json) {
        JsonNode dims = json.path("shape");
        Optional<DType> dtype = DType.quantizedByName(json.path("type").asText());
        long rows = dims.path(0).asLong(-1);
        long columns = dims.path(1).asLong(-1);
        if (dtype.isPresent() && dims.size() == 2 && rows > 0 && columns > 0) {
            return new TensorFile.Info(dtype.get(), Shape.of(rows, columns), path);
        }
        throw new InvalidModelException(
                "%s: quantized tensor '%s' has the unknown type or shape %s; was it written by a newer telechat?",
                path, name, json);
    }
}
