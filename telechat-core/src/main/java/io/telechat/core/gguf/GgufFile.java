// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One GGUF file of version 2 or 3: magic, counts, metadata, descriptions of tensors, and from the next multiple of the alignment
 * on their data.
 *
 * @param tensors by their names in the file, in its order
 */
public record GgufFile(Path path, GgufMetadata metadata, Map<String, Stored> tensors) {
    static final int MAGIC = 0x46554747; // "GGUF"
    private static final int MAX_TENSORS = 1 << 16;
    private static final int MAX_NAME_BYTES = 1 << 10;
    private static final int MAX_RANK = 4;
    private static final int MAX_ALIGNMENT = 1 << 20;
    private static final int DEFAULT_ALIGNMENT = 32;

    /**
     * A tensor of a file.
     *
     * @param shape outermost dimension first, which is last in the file
     * @param data its bytes
     */
    public record Stored(Path path, GgufType type, Shape shape, MemorySegment data) {
        /** Elements that lie side by side. */
        public int columns() {
            return Math.toIntExact(shape.dim(shape.rank() - 1));
        }

        /** The bytes of one row. */
        public MemorySegment row(long index) {
            long bytes = type.bytes(columns());
            return data.asSlice(index * bytes, bytes);
        }
    }

    private record Place(GgufType type, Shape shape, long offset) {
        long end() {
            return Math.addExact(offset, type.bytes(shape.elements()));
        }
    }

    /**
     * @param file all of it
     * @throws InvalidModelException if the file is not what the format asks for
     */
    public static GgufFile read(Path path, MemorySegment file) {
        GgufCursor in = new GgufCursor(path, file);
        if (in.remaining() < 4 || in.int32() != MAGIC) {
            throw new InvalidModelException(
                    "%s: not a GGUF file: it does not begin with GGUF; copy or download it again", path);
        }
        checkVersion(path, in.int32());
        long count = in.count(Message.of("tensors"), MAX_TENSORS, 24);
        long keys = GgufMetadata.count(in);
        GgufMetadata metadata = GgufMetadata.read(path, in, keys);
        int alignment = alignment(metadata);
        Map<String, Place> places = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            String name = in.text(MAX_NAME_BYTES).replaceAll("\\p{Cntrl}|[\\u2028\\u2029]", "?");
            if (places.put(name, place(path, name, in)) != null) {
                throw new InvalidModelException("%s: has the tensor '%s' twice", path, name);
            }
        }
        long start = Math.min(file.byteSize(), (in.at() + alignment - 1) / alignment * alignment);
        checkLayout(path, places, alignment, file.byteSize() - start);
        Map<String, Stored> tensors = new LinkedHashMap<>();
        places.forEach((name, place) -> tensors.put(
                name,
                new Stored(
                        path,
                        place.type(),
                        place.shape(),
                        file.asSlice(start + place.offset(), place.end() - place.offset()))));
        return new GgufFile(path, metadata, tensors);
    }

    private static void checkVersion(Path path, int version) {
        if (version == 2 || version == 3) {
            return;
        }
        if ((version & 0xffff) == 0 && version != 0) {
            throw new InvalidModelException("%s: is in big-endian order; take the little-endian file", path);
        }
        throw new InvalidModelException(
                "%s: is GGUF of version %d, telechat reads 2 and 3; convert it with a current llama.cpp",
                path, version);
    }

    private static int alignment(GgufMetadata metadata) {
        int alignment = metadata.integer("general.alignment").orElse(DEFAULT_ALIGNMENT);
        if (alignment < 1 || alignment > MAX_ALIGNMENT || Integer.bitCount(alignment) != 1) {
            throw new InvalidModelException(
                    "%s: '%s' is %s, must be %s",
                    metadata.path(), "general.alignment", alignment, Message.of("a power of two"));
        }
        return alignment;
    }

    private static Place place(Path path, String name, GgufCursor in) {
        int rank = in.int32();
        if (rank < 1 || rank > MAX_RANK) {
            throw new InvalidModelException("%s: tensor '%s' has %d dimensions", path, name, rank);
        }
        long[] dims = new long[rank];
        for (int i = rank - 1; i >= 0; i--) {
            dims[i] = in.int64();
        }
        int number = in.int32();
        long offset = in.int64();
        Optional<GgufType> type = GgufType.of(number);
        if (type.isEmpty()) {
            throw new InvalidModelException(
                    "%s: tensor '%s' is %s, which telechat does not read; it reads %s",
                    path, name, GgufType.name(number), List.of(GgufType.values()));
        }
        try {
            Shape shape = Shape.of(dims);
            long columns = dims[rank - 1];
            Place place = new Place(type.get(), shape, offset);
            if (shape.elements() < 1
                    || columns > Integer.MAX_VALUE
                    || columns % type.get().blockElements() != 0
                    || offset < 0
                    || place.end() < offset) {
                throw new ArithmeticException();
            }
            return place;
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new InvalidModelException(
                    e, "%s: tensor '%s' of type %s has an impossible shape or place", path, name, type.get());
        }
    }

    private static void checkLayout(Path path, Map<String, Place> places, int alignment, long dataBytes) {
        long end = 0;
        for (Map.Entry<String, Place> e : places.entrySet().stream()
                .sorted(Comparator.comparingLong(entry -> entry.getValue().offset()))
                .toList()) {
            Place place = e.getValue();
            if (place.end() > dataBytes) {
                throw new InvalidModelException(
                        "%s: tensor '%s' ends at byte %,d of %,d: the file is truncated; copy or download it again",
                        path, e.getKey(), place.end(), dataBytes);
            }
            if (place.offset() < end || place.offset() % alignment != 0) {
                throw new InvalidModelException(
                        "%s: tensor '%s' begins at byte %,d, within another or off the alignment of %d",
                        path, e.getKey(), place.offset(), alignment);
            }
            end = place.end();
        }
    }
}
