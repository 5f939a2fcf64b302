// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads the header of a GGUF file from its beginning on, and never beyond its end. */
final class GgufCursor {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final MemorySegment file;
    private long at;

    GgufCursor(Path path, MemorySegment file) {
        this.path = path;
        this.file = file;
    }

    /** Where the next byte is. */
    long at() {
        return at;
    }

    long remaining() {
        return file.byteSize() - at;
    }

    private long advance(long bytes) {
        if (bytes > remaining()) {
            throw new InvalidModelException(
                    "%s: ends within its header, at byte %,d: the file is truncated; copy or download it again",
                    path, file.byteSize());
        }
        long before = at;
        at += bytes;
        return before;
    }

    byte int8() {
        return file.get(ValueLayout.JAVA_BYTE, advance(Byte.BYTES));
    }

    short int16() {
        return file.get(SHORT, advance(Short.BYTES));
    }

    int int32() {
        return file.get(INT, advance(Integer.BYTES));
    }

    long int64() {
        return file.get(LONG, advance(Long.BYTES));
    }

    /**
     * A number of things of which each takes some bytes of the rest.
     *
     * @param what they are, for complaints
     * @param most that there may be
     */
    long count(Message what, long most, long bytesOfEach) {
        long count = int64();
        if (count < 0 || count > most || count > remaining() / bytesOfEach) {
            throw new InvalidModelException(
                    "%s: claims %s %s, more than the file can hold: it is damaged; copy or download it again",
                    path, Long.toUnsignedString(count), what);
        }
        return count;
    }

    /** A text in UTF-8, with its length in front. */
    String text(long most) {
        long length = count(Message.of("bytes of text"), most, 1);
        byte[] bytes = file.asSlice(advance(length), length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
