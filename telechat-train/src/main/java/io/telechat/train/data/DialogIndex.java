// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.function.Consumer;

/** {@link StoredDialog}s in a temporary file, one behind the other. */
final class DialogIndex implements AutoCloseable {
    private static final int BUFFERED = 1 << 12;

    private final TemporaryFile file;

    DialogIndex(Path path) {
        this.file = new TemporaryFile(path);
    }

    /** How many it holds. */
    long size() {
        return file.size() / StoredDialog.BYTES;
    }

    /**
     * For one thread; what it was given is there once it is closed.
     *
     * @param buffered so many are written at once
     */
    Writer writer(int buffered) {
        return new Writer(buffered);
    }

    /** Adds dialogs behind those that are there. */
    final class Writer implements AutoCloseable {
        private final ByteBuffer buffer;

        private Writer(int buffered) {
            this.buffer = ByteBuffer.allocateDirect(Math.max(1, buffered) * StoredDialog.BYTES);
        }

        void add(StoredDialog dialog) {
            dialog.put(buffer);
            if (!buffer.hasRemaining()) {
                flush();
            }
        }

        /** Makes those that were added readable. */
        void flush() {
            buffer.flip();
            file.write(buffer, file.reserve(buffer.remaining()));
            buffer.clear();
        }

        @Override
        public void close() {
            flush();
        }
    }

    /** Visits {@code from} to {@code to}, in the order of the file. */
    void forEach(long from, long to, Consumer<StoredDialog> visitor) {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(BUFFERED, to - from) * StoredDialog.BYTES);
        for (long next = from; next < to; ) {
            int count = (int) Math.min(BUFFERED, to - next);
            buffer.clear().limit(count * StoredDialog.BYTES);
            file.read(buffer, next * StoredDialog.BYTES);
            buffer.flip();
            for (int i = 0; i < count; i++) {
                visitor.accept(StoredDialog.get(buffer));
            }
            next += count;
        }
    }

    /** The file goes with it. */
    @Override
    public void close() {
        file.close();
    }
}
