// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostStorage;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A safetensors file: eight bytes of header length, a JSON header, raw little-endian data
 * (github.com/huggingface/safetensors, "Format"). As there, the data may have neither overlaps nor holes.
 */
public final class SafetensorsFile implements TensorFile {
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long MAX_HEADER = 100_000_000;
    private static final int MAX_RANK = 8;
    private static final String METADATA = "__metadata__";

    private final Path path;
    private final MemorySegment file;
    private final long dataStart;
    private final Map<String, Entry> entries;

    private final Map<String, Info> infos = new LinkedHashMap<>();

    private record Entry(Info info, long begin, long end) {}

    private SafetensorsFile(Path path, MemorySegment file, long dataStart, Map<String, Entry> entries) {
        this.path = path;
        this.file = file;
        this.dataStart = dataStart;
        this.entries = entries;
        entries.forEach((name, entry) -> infos.put(name, entry.info()));
    }

    /**
     * @param arena keeps the file mapped
     * @throws InvalidModelException if the file is not what the format asks for
     */
    public static SafetensorsFile open(Path path, Arena arena) {
        MemorySegment file = MappedFile.map(path, arena);
        if (file.byteSize() < 8) {
            throw new InvalidModelException(
                    "%s: %d bytes is too short for a safetensors file; copy or download it again",
                    path, file.byteSize());
        }
        long headerLength = file.get(LENGTH, 0);
        if (headerLength > MAX_HEADER && Downloads.isText(file.asSlice(0, 8).toArray(ValueLayout.JAVA_BYTE))) {
            throw new InvalidModelException("%s: is text, no safetensors file; download it again", path);
        }
        if (headerLength < 2 || headerLength > MAX_HEADER) {
            throw new InvalidModelException(
                    "%s: not a safetensors file: its header would have %s bytes, at most %,d are allowed",
                    path, Long.toUnsignedString(headerLength), MAX_HEADER);
        }
        if (headerLength > file.byteSize() - 8) {
            throw new InvalidModelException(
                    "%s: header of %,d bytes is longer than the file of %,d; copy or download it again",
                    path, headerLength, file.byteSize());
        }
        byte[] header = file.asSlice(8, headerLength).toArray(ValueLayout.JAVA_BYTE);
        long dataStart = 8 + headerLength;
        Map<String, Entry> entries = new LinkedHashMap<>();
        JsonNode json = JsonFiles.parseObject(path, header);
        for (Map.Entry<String, JsonNode> field : json.properties()) {
            if (!field.getKey().equals(METADATA)) {
                entries.put(field.getKey(), readEntry(path, field.getKey(), field.getValue()));
            }
        }
        checkLayout(path, entries, file.byteSize() - dataStart);
        QuantizedTensors.read(path, json.path(METADATA))
                .forEach((name, info) -> entries.computeIfPresent(name, (n, e) -> quantized(n, e, info)));
        return new SafetensorsFile(path, file, dataStart, entries);
    }

    private static Entry readEntry(Path path, String name, JsonNode json) {
        JsonNode dtypeName = json.path("dtype");
        DType dtype = DType.byName(dtypeName.asText())
                .orElseThrow(() -> new InvalidModelException(
                        "%s: tensor '%s' has the unknown dtype %s; known: %s",
                        path, name, dtypeName, List.of(DType.values())));
        JsonNode dims = json.path("shape");
        JsonNode offsets = json.path("data_offsets");
        if (!dims.isArray() || dims.size() > MAX_RANK || !offsets.isArray() || offsets.size() != 2) {
            throw new InvalidModelException("%s: tensor '%s' has no proper shape and data_offsets", path, name);
        }
        long[] sizes = new long[dims.size()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = nonNegative(path, name, "shape", dims.get(i));
        }
        long begin = nonNegative(path, name, "data_offsets", offsets.get(0));
        long end = nonNegative(path, name, "data_offsets", offsets.get(1));
        try {
            Shape shape = Shape.of(sizes);
            if (Math.multiplyExact(shape.elements(), (long) dtype.bytes()) != end - begin) {
                throw new InvalidModelException(
                        "%s: tensor '%s' of %s %s does not fill its bytes %d to %d",
                        path, name, dtype, shape, begin, end);
            }
            return new Entry(new Info(dtype, shape, path), begin, end);
        } catch (ArithmeticException e) {
            throw new InvalidModelException(e, "%s: tensor '%s' has an impossible shape %s", path, name, dims);
        }
    }

    /** An entry of bytes as the quantized matrix that they are. */
    private static Entry quantized(String name, Entry bytes, Info info) {
        long size;
        try {
            size = info.bytes();
        } catch (ArithmeticException e) {
            size = -1;
        }
        if (bytes.info().dtype() != DType.U8 || size != bytes.end() - bytes.begin()) {
            throw new InvalidModelException(
                    "%s: quantized tensor '%s' of %s %s does not fill its bytes %d to %d",
                    info.file(), name, info.dtype(), info.shape(), bytes.begin(), bytes.end());
        }
        return new Entry(info, bytes.begin(), bytes.end());
    }

    private static long nonNegative(Path path, String name, String key, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
            throw new InvalidModelException("%s: tensor '%s' has %s in its %s", path, name, value, key);
        }
        return value.longValue();
    }

    private static void checkLayout(Path path, Map<String, Entry> entries, long dataSize) {
        List<Map.Entry<String, Entry>> byOffset = entries.entrySet().stream()
                .sorted(Comparator.<Map.Entry<String, Entry>>comparingLong(
                                e -> e.getValue().begin())
                        .thenComparingLong(e -> e.getValue().end()))
                .toList();
        long next = 0;
        for (Map.Entry<String, Entry> e : byOffset) {
            if (e.getValue().end() > dataSize) {
                throw new InvalidModelException(
                        "%s: tensor '%s' ends at byte %,d of %,d: the file is truncated; copy or download it again",
                        path, e.getKey(), e.getValue().end(), dataSize);
            }
            if (e.getValue().begin() != next) {
                throw new InvalidModelException(
                        "%s: tensor '%s' begins at byte %,d instead of %,d: %s",
                        path,
                        e.getKey(),
                        e.getValue().begin(),
                        next,
                        e.getValue().begin() < next ? Message.of("data overlap") : Message.of("data has a hole"));
            }
            next = e.getValue().end();
        }
        if (next != dataSize) {
            throw new InvalidModelException(
                    "%s: %,d bytes behind the last tensor belong to none", path, dataSize - next);
        }
    }

    @Override
    public Map<String, Info> tensors() {
        return infos;
    }

    @Override
    public Tensor tensor(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new InvalidModelException("%s: has no tensor '%s'", path, name);
        }
        MemorySegment data = file.asSlice(dataStart + entry.begin(), entry.end() - entry.begin());
        return new Tensor(entry.info().dtype(), entry.info().shape(), new HostStorage(data));
    }
}
