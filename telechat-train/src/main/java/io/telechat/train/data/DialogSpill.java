// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Encoded dialogs in a temporary file, one behind the other: key (8 bytes), place (8), source (4), number of tokens (4),
 * and each token's id with the mask as its highest bit.
 */
final class DialogSpill implements AutoCloseable {
    static final int HEADER_BYTES = 24;
    private static final int TRAINED = 0x80000000;

    /**
     * @param key decides on the order
     * @param place of the line in all input; settles equal keys
     * @param source index into the list of sources
     */
    record Entry(long key, long place, int source, EncodedDialog dialog) {
        int bytes() {
            return HEADER_BYTES + 4 * dialog.length();
        }

        void put(ByteBuffer out) {
            out.putLong(key).putLong(place).putInt(source).putInt(dialog.length());
            for (int i = 0; i < dialog.length(); i++) {
                out.putInt(dialog.ids()[i] | (dialog.mask()[i] == 0 ? 0 : TRAINED));
            }
        }
    }

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final FileChannel channel;
    private long size;

    DialogSpill(Path file) {
        this.file = file;
        try {
            this.channel = FileChannel.open(
                    file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Appends what a flipped buffer holds, whole entries; returns where it begins. */
    synchronized long append(ByteBuffer entries) {
        long at = size;
        try {
            while (entries.hasRemaining()) {
                size += channel.write(entries, size);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return at;
    }

    synchronized long size() {
        return size;
    }

    /** All of the file, for reading. */
    Contents map(Arena arena) {
        return map(0, size(), arena);
    }

    /** A part of it, which begins and ends where entries do. */
    Contents map(long from, long to, Arena arena) {
        try {
            return new Contents(channel.map(FileChannel.MapMode.READ_ONLY, from, to - from, arena));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Entries by their place in the file. */
    record Contents(MemorySegment segment) {
        long size() {
            return segment.byteSize();
        }

        long key(long at) {
            return segment.get(LONG, at);
        }

        long place(long at) {
            return segment.get(LONG, at + 8);
        }

        int source(long at) {
            return segment.get(INT, at + 16);
        }

        int length(long at) {
            return segment.get(INT, at + 20);
        }

        /** Where the entry behind this one begins. */
        long next(long at) {
            return at + HEADER_BYTES + 4L * length(at);
        }

        EncodedDialog dialog(long at) {
            int length = length(at);
            int[] ids = new int[length];
            byte[] mask = new byte[length];
            MemorySegment.copy(segment, INT, at + HEADER_BYTES, ids, 0, length);
            for (int i = 0; i < length; i++) {
                mask[i] = (byte) (ids[i] >>> 31);
                ids[i] &= ~TRAINED;
            }
            return new EncodedDialog(ids, mask);
        }

        Entry entry(long at) {
            return new Entry(key(at), place(at), source(at), dialog(at));
        }
    }

    /** The file goes with it. */
    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
