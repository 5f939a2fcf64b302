// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The keys and values of a GGUF file. Integers of all widths are {@link Long}, floats {@link Float} or {@link Double}; then
 * there are {@link Boolean}, {@link String} and lists of these. Every complaint names the file, the key and the value.
 */
public final class GgufMetadata {
    private static final int MAX_KEYS = 1 << 16;
    private static final int MAX_KEY_BYTES = 1 << 16;
    private static final int MAX_TEXT_BYTES = 1 << 24;
    private static final int MAX_ELEMENTS = 1 << 22;
    private static final int SHOWN = 40;

    private final Path path;
    private final Map<String, Object> values;

    private GgufMetadata(Path path, Map<String, Object> values) {
        this.path = path;
        this.values = values;
    }

    /** Numbers of types of values. */
    private static final class Kind {
        static final int UINT8 = 0;
        static final int INT8 = 1;
        static final int UINT16 = 2;
        static final int INT16 = 3;
        static final int UINT32 = 4;
        static final int INT32 = 5;
        static final int FLOAT32 = 6;
        static final int BOOL = 7;
        static final int STRING = 8;
        static final int ARRAY = 9;
        static final int UINT64 = 10;
        static final int INT64 = 11;
        static final int FLOAT64 = 12;
    }

    /** @param count of keys, which follow one another */
    static GgufMetadata read(Path path, GgufCursor in, long count) {
        Map<String, Object> values = new LinkedHashMap<>();
        GgufMetadata metadata = new GgufMetadata(path, values);
        for (long i = 0; i < count; i++) {
            String key = in.text(MAX_KEY_BYTES);
            if (values.put(key, metadata.value(key, in, in.int32())) != null) {
                throw new InvalidModelException("%s: has the key '%s' twice", path, shorten(key));
            }
        }
        return metadata;
    }

    static long count(GgufCursor in) {
        return in.count(Message.of("keys"), MAX_KEYS, Long.BYTES + Integer.BYTES + 1);
    }

    private Object value(String key, GgufCursor in, int kind) {
        return switch (kind) {
            case Kind.UINT8 -> (long) (in.int8() & 0xff);
            case Kind.INT8 -> (long) in.int8();
            case Kind.UINT16 -> (long) (in.int16() & 0xffff);
            case Kind.INT16 -> (long) in.int16();
            case Kind.UINT32 -> in.int32() & 0xffffffffL;
            case Kind.INT32 -> (long) in.int32();
            case Kind.FLOAT32 -> Float.intBitsToFloat(in.int32());
            case Kind.BOOL -> in.int8() != 0;
            case Kind.STRING -> in.text(MAX_TEXT_BYTES);
            case Kind.ARRAY -> array(key, in);
            case Kind.UINT64, Kind.INT64 -> in.int64();
            case Kind.FLOAT64 -> Double.longBitsToDouble(in.int64());
            default -> throw unknown(key, kind);
        };
    }

    /** No known key has an array of arrays. */
    private List<Object> array(String key, GgufCursor in) {
        int kind = in.int32();
        int bytes = switch (kind) {
            case Kind.UINT8, Kind.INT8, Kind.BOOL -> 1;
            case Kind.UINT16, Kind.INT16 -> 2;
            case Kind.UINT32, Kind.INT32, Kind.FLOAT32 -> 4;
            case Kind.STRING, Kind.UINT64, Kind.INT64, Kind.FLOAT64 -> 8;
            default -> throw unknown(key, kind);
        };
        int count = (int) in.count(Message.of("elements of an array"), MAX_ELEMENTS, bytes);
        List<Object> elements = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            elements.add(value(key, in, kind));
        }
        return elements;
    }

    private InvalidModelException unknown(String key, int kind) {
        return new InvalidModelException(
                "%s: '%s' has a value of the unknown type %d: the file is damaged, or newer than this telechat",
                path, shorten(key), kind);
    }

    private static String shorten(Object value) {
        String text = value.toString();
        return (text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…")
                .replaceAll("\\p{Cntrl}|[\\u2028\\u2029]", "?");
    }

    /** The file, for complaints. */
    public Path path() {
        return path;
    }

    public boolean has(String key) {
        return values.containsKey(key);
    }

    private <T> Optional<T> get(String key, Class<T> type, Message expected) {
        Object value = values.get(key);
        if (value == null || type.isInstance(value)) {
            return Optional.ofNullable(type.cast(value));
        }
        throw new InvalidModelException("%s: '%s' is %s, must be %s", path, key, shorten(value), expected);
    }

    public Optional<String> text(String key) {
        return get(key, String.class, Message.of("a text"));
    }

    public Optional<Boolean> flag(String key) {
        return get(key, Boolean.class, Message.of("true or false"));
    }

    /** An integer from 0 on. */
    public Optional<Integer> integer(String key) {
        Optional<Long> value = get(key, Long.class, Message.of("an integer"));
        if (value.isPresent() && (value.get() < 0 || value.get() > Integer.MAX_VALUE)) {
            throw new InvalidModelException(
                    "%s: '%s' is %s, must be %s", path, key, value.get(), Message.of("an integer from 0 on"));
        }
        return value.map(Long::intValue);
    }

    /** Likewise, where it must be there. */
    public int requiredInteger(String key) {
        return integer(key).orElseThrow(() -> missing(key));
    }

    InvalidModelException missing(String key) {
        return new InvalidModelException("%s: '%s' is missing", path, key);
    }

    /** A finite number: of a float32 the shortest that rounds to it, 0.00001 rather than 0.0000099999997. */
    public Optional<Double> number(String key) {
        Optional<Number> value = get(key, Number.class, Message.of("a number"));
        if (value.isPresent() && !Double.isFinite(value.get().doubleValue())) {
            throw new InvalidModelException(
                    "%s: '%s' is %s, must be %s", path, key, value.get(), Message.of("a number"));
        }
        return value.map(number -> Double.parseDouble(number.toString()));
    }

    /** A list whose elements are all of one type; empty if it is not there. */
    public <T> List<T> list(String key, Class<T> type) {
        List<T> elements = new ArrayList<>();
        for (Object element : get(key, List.class, Message.of("a list")).orElse(List.of())) {
            if (!type.isInstance(element)) {
                throw new InvalidModelException("%s: '%s' holds %s", path, key, shorten(element));
            }
            elements.add(type.cast(element));
        }
        return elements;
    }
}
