// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * TensorFlow's file of records: the length of a record (u64), its masked CRC-32C (u32), the record, the record's masked
 * CRC-32C (u32), all little-endian. From tensorflow/core/lib/io/record_writer.h, the mask from tensorflow/core/lib/hash/crc32c.h.
 */
final class TfRecordWriter implements AutoCloseable {
    private static final int FRAME_BYTES = Long.BYTES + 2 * Integer.BYTES;
    private static final int MASK_DELTA = 0xa282ead8;
    private static final int MASK_ROTATION = 15;

    private final FileChannel channel;

    /** @throws FileAlreadyExistsException if the file is there already */
    TfRecordWriter(Path file) throws IOException {
        channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }

    /** The record is with the operating system afterwards, so others can read it. */
    void write(byte[] record) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(FRAME_BYTES + record.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putLong(record.length);
        frame.putInt(maskedCrc(frame.array(), Long.BYTES));
        frame.put(record);
        frame.putInt(maskedCrc(record, record.length));
        frame.flip();
        while (frame.hasRemaining()) {
            channel.write(frame);
        }
    }

    /** Masked, since the CRC of data that hold a CRC is a poor one. */
    private static int maskedCrc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return Integer.rotateRight((int) crc.getValue(), MASK_ROTATION) + MASK_DELTA;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
