// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A shard in the making: {@code input_ids} and {@code sequence_ids} as int32 and {@code loss_mask} as uint8, each [rows,
 * length], written some rows at a time by any thread.
 */
final class ShardFile implements Closeable {
    private static final int BLOCK_BYTES = 1 << 20;

    private final FileChannel channel;
    private final int first;
    private final int count;
    private final int length;
    private final long idsAt;

    /**
     * @param file a new one
     * @param first its first row among all
     * @param count of its rows
     * @param length of a row
     */
    ShardFile(Path file, int first, int count, int length) throws IOException {
        this.first = first;
        this.count = count;
        this.length = length;
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        entries.put("input_ids", new SafetensorsWriter.Entry(DType.I32, Shape.of(count, length)));
        entries.put("loss_mask", new SafetensorsWriter.Entry(DType.U8, Shape.of(count, length)));
        entries.put("sequence_ids", new SafetensorsWriter.Entry(DType.I32, Shape.of(count, length)));
        byte[] header = SafetensorsWriter.header(entries);
        ByteBuffer start = ByteBuffer.allocate(Long.BYTES + header.length).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(header.length).put(header).flip();
        this.idsAt = start.remaining();
        this.channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try {
            TemporaryFile.writeFully(channel, start, 0);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** How many blocks of rows there are. */
    int blocks() {
        return Math.ceilDiv(count, rowsPerBlock(length));
    }

    private static int rowsPerBlock(int length) {
        return Math.max(1, BLOCK_BYTES / (9 * length));
    }

    /** Writes the rows of a block. */
    void write(int block, Buffers buffers) throws IOException {
        int from = block * rowsPerBlock(length);
        buffers.fill(first + from, Math.min(rowsPerBlock(length), count - from));
        long maskAt = idsAt + 4L * count * length;
        long sequencesAt = maskAt + (long) count * length;
        long at = (long) from * length;
        TemporaryFile.writeFully(channel, buffers.ids.flip(), idsAt + 4 * at);
        TemporaryFile.writeFully(channel, buffers.mask.flip(), maskAt + at);
        TemporaryFile.writeFully(channel, buffers.sequences.flip(), sequencesAt + 4 * at);
    }

    /** Waits until all is on the disk. */
    void force() throws IOException {
        channel.force(true);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** A block of rows on its way to a file; each thread has one, again and again. */
    static final class Buffers {
        private final SampleRows.Reader reader;
        private final int padId;
        private final ByteBuffer ids;
        private final ByteBuffer mask;
        private final ByteBuffer sequences;
        private final int[] rowIds;
        private final byte[] rowMask;
        private final int[] rowSequences;

        Buffers(SampleRows rows, int padId) {
            int length = rows.rowTokens();
            int tokens = rowsPerBlock(length) * length;
            this.reader = rows.reader();
            this.padId = padId;
            this.ids = buffer(Integer.BYTES * tokens);
            this.mask = buffer(tokens);
            this.sequences = buffer(Integer.BYTES * tokens);
            this.rowIds = new int[length];
            this.rowMask = new byte[length];
            this.rowSequences = new int[length];
        }

        private static ByteBuffer buffer(int bytes) {
            return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        private void fill(int first, int count) {
            ids.clear();
            mask.clear();
            sequences.clear();
            for (int row = first; row < first + count; row++) {
                reader.row(row, padId, rowIds, rowMask, rowSequences);
                put(rowIds, ids);
                mask.put(rowMask);
                put(rowSequences, sequences);
            }
        }

        private static void put(int[] row, ByteBuffer to) {
            to.asIntBuffer().put(row);
            to.position(to.position() + Integer.BYTES * row.length);
        }
    }
}
