// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostStorage;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes a safetensors file through mapped tensors: ask for each, fill it, {@link #commit}. Until then the file lies under
 * a temporary name, and closing without a commit leaves nothing behind.
 */
public final class SafetensorsWriter implements AutoCloseable {
    /** Data start at a multiple of this, so that readers can map aligned vectors. */
    private static final int ALIGNMENT = 64;

    /** What to write under a name. */
    public record Entry(DType dtype, Shape shape) {
        public long bytes() {
            return dtype.bytes(shape);
        }
    }

    private final MappedOutput output;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private SafetensorsWriter(Path target, Map<String, Entry> entries) throws IOException {
        byte[] header = header(entries);
        long size = 8L + header.length;
        for (Entry entry : entries.values()) {
            size += entry.bytes();
        }
        output = new MappedOutput(target, size);
        MemorySegment file = output.segment();
        file.set(ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN), 0, header.length);
        MemorySegment.copy(header, 0, file, ValueLayout.JAVA_BYTE, 8, header.length);
        long at = 8L + header.length;
        for (Map.Entry<String, Entry> e : entries.entrySet()) {
            long bytes = e.getValue().bytes();
            tensors.put(
                    e.getKey(),
                    new Tensor(e.getValue().dtype(), e.getValue().shape(), new HostStorage(file.asSlice(at, bytes))));
            at += bytes;
        }
    }

    /**
     * @param entries what the file will hold, in this order
     * @throws InvalidModelException if it cannot be written there
     */
    public static SafetensorsWriter create(Path target, Map<String, Entry> entries) {
        try {
            return new SafetensorsWriter(target, entries);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", target, IoReason.of(e));
        }
    }

    /** The JSON that begins a file, padded so that the data behind it are aligned; 8 bytes with its length come first. */
    public static byte[] header(Map<String, Entry> entries) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = mapper.createObjectNode();
        ObjectNode metadata = json.putObject("__metadata__").put("format", "pt");
        ObjectNode quantized = mapper.createObjectNode();
        long at = 0;
        for (Map.Entry<String, Entry> e : entries.entrySet()) {
            Entry entry = e.getValue();
            ObjectNode node = json.putObject(e.getKey());
            if (entry.dtype().isQuantized()) {
                QuantizedTensors.describe(quantized, e.getKey(), entry);
                node.put("dtype", DType.U8.name());
                node.putArray("shape").add(entry.bytes());
            } else {
                node.put("dtype", entry.dtype().name());
                ArrayNode dims = node.putArray("shape");
                for (long dim : entry.shape().toArray()) {
                    dims.add(dim);
                }
            }
            node.putArray("data_offsets").add(at).add(at + entry.bytes());
            at += entry.bytes();
        }
        if (!quantized.isEmpty()) {
            metadata.put(QuantizedTensors.KEY, mapper.writeValueAsString(quantized));
        }
        byte[] text = mapper.writeValueAsBytes(json);
        int padded = (text.length + 8 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - 8;
        byte[] header = new byte[padded];
        Arrays.fill(header, (byte) ' ');
        System.arraycopy(text, 0, header, 0, text.length);
        return header;
    }

    /** The tensor to fill; it starts as zeros. */
    public Tensor tensor(String name) {
        return tensors.get(name);
    }

    /** Forces everything to disk and gives the file its name. */
    public void commit() {
        output.commit();
    }

    @Override
    public void close() {
        output.close();
    }
}
