// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidModelException;
import io.telechat.core.gguf.GgufHeader;
import io.telechat.core.gguf.GgufHeader.Entry;
import io.telechat.core.gguf.GgufValues;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes a GGUF file through mapped tensors: ask for the bytes of each, fill them, {@link #commit}. */
public final class GgufWriter implements AutoCloseable {
    private final MappedOutput output;
    private final Map<String, MemorySegment> tensors = new LinkedHashMap<>();

    private GgufWriter(Path target, GgufValues values, Map<String, Entry> entries) throws IOException {
        byte[] header = GgufHeader.bytes(values, entries);
        Map<String, Long> offsets = GgufHeader.offsets(entries);
        long size = header.length;
        for (Map.Entry<String, Entry> e : entries.entrySet()) {
            size = header.length + offsets.get(e.getKey()) + e.getValue().bytes();
        }
        output = new MappedOutput(target, size);
        MemorySegment file = output.segment();
        MemorySegment.copy(header, 0, file, ValueLayout.JAVA_BYTE, 0, header.length);
        entries.forEach(
                (name, entry) -> tensors.put(name, file.asSlice(header.length + offsets.get(name), entry.bytes())));
    }

    /**
     * @param entries what the file will hold, in this order
     * @throws InvalidModelException if it cannot be written there
     */
    public static GgufWriter create(Path target, GgufValues values, Map<String, Entry> entries) {
        try {
            return new GgufWriter(target, values, entries);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", target, IoReason.of(e));
        }
    }

    /** The bytes to fill; they start as zeros. */
    public MemorySegment tensor(String name) {
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
