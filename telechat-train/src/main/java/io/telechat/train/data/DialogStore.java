// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The tokens of all encoded dialogs, in temporary files: each is written once, and read again when a sample is written.
 * What is known of a dialog besides is its {@link StoredDialog}. A token is its id, with the mask as the highest bit.
 */
final class DialogStore implements AutoCloseable {
    private static final int TRAINED_BIT = 31;
    private static final long KEPT_BYTES = 32 << 20;

    private final Path directory;
    private final List<TemporaryFile> files = new ArrayList<>();
    private List<ByteBuffer> kept = List.of();
    private long keptBytes;

    /** @param directory for the files */
    DialogStore(Path directory) {
        this.directory = directory;
    }

    /** @return the number of a new, empty file */
    synchronized int newFile() {
        files.add(new TemporaryFile(directory.resolve("%d.tokens".formatted(files.size()))));
        return files.size() - 1;
    }

    private synchronized TemporaryFile file(int number) {
        return files.get(number);
    }

    /**
     * For one thread; what it was given is there once it is closed.
     *
     * @param bufferBytes so much is written at once
     */
    Writer writer(int file, int bufferBytes) {
        return new Writer(file, bufferBytes);
    }

    /** Each writer owns stretches of the file, so that a dialog's place is known before it is written. */
    final class Writer implements AutoCloseable {
        private final int number;
        private final TemporaryFile file;
        private ByteBuffer buffer;
        private long start;

        private Writer(int number, int bufferBytes) {
            this.number = number;
            this.file = file(number);
            this.buffer = buffer(bufferBytes);
            this.start = file.reserve(buffer.capacity());
        }

        /**
         * @param key decides on its order
         * @param place of its line in all input
         * @param source number of its source
         */
        StoredDialog add(long key, long place, int source, EncodedDialog dialog) {
            int bytes = Integer.BYTES * dialog.length();
            if (buffer.remaining() < bytes) {
                flush();
                if (buffer.capacity() < bytes) {
                    buffer = buffer(2 * bytes);
                }
                start = file.reserve(buffer.capacity());
            }
            long at = start + buffer.position();
            int[] tokens = new int[dialog.length()];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = dialog.ids()[i] | dialog.mask()[i] << TRAINED_BIT;
            }
            buffer.asIntBuffer().put(tokens);
            buffer.position(buffer.position() + bytes);
            return new StoredDialog(key, place, source, dialog.length(), dialog.trained(), number, at);
        }

        private void flush() {
            file.write(buffer.flip(), start);
            buffer.clear();
        }

        @Override
        public void close() {
            flush();
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** For one thread, once all writers are closed. */
    Reader reader() {
        return new Reader(contents());
    }

    /** All files, if they are small: data that is used again and again is read once. Empty if they are not. */
    private synchronized List<ByteBuffer> contents() {
        long bytes = files.stream().mapToLong(TemporaryFile::size).sum();
        if (bytes > KEPT_BYTES) {
            return List.of();
        }
        if (bytes != keptBytes) {
            kept = files.stream().map(DialogStore::contents).toList();
            keptBytes = bytes;
        }
        return kept;
    }

    private static ByteBuffer contents(TemporaryFile file) {
        ByteBuffer bytes = buffer(Math.toIntExact(file.writtenBytes()));
        file.read(bytes, 0);
        return bytes.flip();
    }

    /** Reads dialogs back. */
    final class Reader {
        private final List<ByteBuffer> contents;
        private ByteBuffer buffer = buffer(0);
        private int[] tokens = new int[0];

        private Reader(List<ByteBuffer> contents) {
            this.contents = contents;
        }

        /** Writes ids and mask of a dialog to {@code ids[at …]} and {@code mask[at …]}. */
        void read(StoredDialog dialog, int[] ids, byte[] mask, int at) {
            int length = dialog.length();
            if (tokens.length < length) {
                tokens = new int[2 * length];
            }
            if (contents.isEmpty()) {
                readFile(dialog);
            } else {
                contents.get(dialog.file())
                        .slice(Math.toIntExact(dialog.offset()), Integer.BYTES * length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asIntBuffer()
                        .get(tokens, 0, length);
            }
            for (int i = 0; i < length; i++) {
                ids[at + i] = tokens[i] & Integer.MAX_VALUE;
                mask[at + i] = (byte) (tokens[i] >>> TRAINED_BIT);
            }
        }

        private void readFile(StoredDialog dialog) {
            int bytes = Integer.BYTES * dialog.length();
            if (buffer.capacity() < bytes) {
                buffer = buffer(2 * bytes);
            }
            buffer.clear().limit(bytes);
            file(dialog.file()).read(buffer, dialog.offset());
            buffer.flip().asIntBuffer().get(tokens, 0, dialog.length());
        }
    }

    /** The files go with it. */
    @Override
    public synchronized void close() {
        files.forEach(TemporaryFile::close);
    }
}
