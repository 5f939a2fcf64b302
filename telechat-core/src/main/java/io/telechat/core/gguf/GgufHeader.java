// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import io.telechat.core.tensor.Shape;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** What stands before the data of a GGUF file of version 3. */
public final class GgufHeader {
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;

    private GgufHeader() {}

    /**
     * What to write under a name.
     *
     * @param shape outermost dimension first
     */
    public record Entry(GgufType type, Shape shape) {
        public long bytes() {
            return type.bytes(shape.elements());
        }
    }

    /** Where each tensor's data begin, from the end of the header on. */
    public static Map<String, Long> offsets(Map<String, Entry> entries) {
        Map<String, Long> offsets = new LinkedHashMap<>();
        long at = 0;
        for (Map.Entry<String, Entry> e : entries.entrySet()) {
            offsets.put(e.getKey(), at);
            at += (e.getValue().bytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }
        return offsets;
    }

    /** The header, filled up to where data begin. */
    public static byte[] bytes(GgufValues values, Map<String, Entry> entries) {
        GgufValues.Bytes out = new GgufValues.Bytes();
        out.int32(GgufFile.MAGIC);
        out.int32(VERSION);
        out.int64(entries.size());
        out.int64(values.count());
        out.append(values.bytes());
        Map<String, Long> offsets = offsets(entries);
        entries.forEach((name, entry) -> {
            out.text(name);
            long[] dims = entry.shape().toArray();
            out.int32(dims.length);
            for (int i = dims.length - 1; i >= 0; i--) {
                out.int64(dims[i]);
            }
            out.int32(entry.type().number());
            out.int64(offsets.get(name));
        });
        byte[] bytes = out.toArray();
        return Arrays.copyOf(bytes, (bytes.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }
}
