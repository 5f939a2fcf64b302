// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidModelException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the members of a mapped zip file lie (PKWARE APPNOTE 6.3, zip64 included). PyTorch stores its members
 * uncompressed so that they can be mapped; compressed ones are refused, and with them every zip bomb. The JDK's own
 * reader does not tell offsets.
 */
final class ZipDirectory {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int END_SIGNATURE = 0x06054b50;
    private static final int END_SIZE = 22;
    private static final int ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
    private static final int ZIP64_LOCATOR_SIZE = 20;
    private static final int ZIP64_END_SIGNATURE = 0x06064b50;
    private static final int ENTRY_SIGNATURE = 0x02014b50;
    private static final int ENTRY_SIZE = 46;
    private static final int LOCAL_SIGNATURE = 0x04034b50;
    private static final int LOCAL_SIZE = 30;
    private static final int ZIP64_EXTRA = 1;
    private static final int MAX_COMMENT = 0xffff;

    private final Path path;
    private final MemorySegment file;

    private ZipDirectory(Path path, MemorySegment file) {
        this.path = path;
        this.file = file;
    }

    /** The bytes of each member by its name, as slices of the file. */
    static Map<String, MemorySegment> members(Path path, MemorySegment file) {
        try {
            return new ZipDirectory(path, file).read();
        } catch (IndexOutOfBoundsException | ArithmeticException e) {
            throw new InvalidModelException(e, "%s: damaged zip directory; copy or download the file again", path);
        }
    }

    private Map<String, MemorySegment> read() {
        long end = findEnd();
        long count = u16(end + 10);
        long at = u32(end + 16);
        long locator = end - ZIP64_LOCATOR_SIZE;
        if (locator >= 0 && file.get(U32, locator) == ZIP64_LOCATOR_SIGNATURE) {
            long zip64End = file.get(U64, locator + 8);
            if (file.get(U32, zip64End) == ZIP64_END_SIGNATURE) {
                count = file.get(U64, zip64End + 32);
                at = file.get(U64, zip64End + 48);
            }
        }
        if (count < 0 || count > file.byteSize() / ENTRY_SIZE) {
            throw new InvalidModelException("%s: damaged zip directory: it claims %d members", path, count);
        }
        Map<String, MemorySegment> members = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            at = readEntry(at, members);
        }
        return members;
    }

    private long findEnd() {
        for (long at = file.byteSize() - END_SIZE; at >= Math.max(0, file.byteSize() - END_SIZE - MAX_COMMENT); at--) {
            if (file.get(U32, at) == END_SIGNATURE) {
                return at;
            }
        }
        byte[] head = file.asSlice(0, Math.min(64, file.byteSize())).toArray(ValueLayout.JAVA_BYTE);
        if (Downloads.isText(head)) {
            throw new InvalidModelException("%s: is text, no PyTorch file; download it again", path);
        }
        throw new InvalidModelException(
                "%s: not a PyTorch file in zip format: truncated, or saved by a PyTorch older than 1.6; save it again"
                        + " as safetensors",
                path);
    }

    private long readEntry(long at, Map<String, MemorySegment> members) {
        if (file.get(U32, at) != ENTRY_SIGNATURE) {
            throw new InvalidModelException("%s: damaged zip directory at byte %d", path, at);
        }
        int method = u16(at + 10);
        long stored = u32(at + 20);
        long size = u32(at + 24);
        int nameLength = u16(at + 28);
        int extraLength = u16(at + 30);
        long local = u32(at + 42);
        String name = new String(
                file.asSlice(at + ENTRY_SIZE, nameLength).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        long extra = at + ENTRY_SIZE + nameLength;
        for (long x = extra; x + 4 <= extra + extraLength; x += 4 + u16(x + 2)) {
            if (u16(x) == ZIP64_EXTRA) {
                long value = x + 4;
                if (size == 0xffffffffL) {
                    size = file.get(U64, value);
                    value += 8;
                }
                if (stored == 0xffffffffL) {
                    stored = file.get(U64, value);
                    value += 8;
                }
                if (local == 0xffffffffL) {
                    local = file.get(U64, value);
                }
            }
        }
        if (method != 0 || stored != size) {
            throw new InvalidModelException(
                    "%s: member '%s' is compressed; PyTorch does not do that, and telechat does not unpack it",
                    path, name);
        }
        if (file.get(U32, local) != LOCAL_SIGNATURE) {
            throw new InvalidModelException("%s: member '%s' is not where the directory says", path, name);
        }
        long data = local + LOCAL_SIZE + u16(local + 26) + u16(local + 28);
        if (members.put(name, file.asSlice(data, size)) != null) {
            throw new InvalidModelException("%s: member '%s' occurs twice", path, name);
        }
        return extra + extraLength + u16(at + 32);
    }

    private int u16(long at) {
        return Short.toUnsignedInt(file.get(U16, at));
    }

    private long u32(long at) {
        return Integer.toUnsignedLong(file.get(U32, at));
    }
}
