// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The message {@code Event} of tensorflow/core/util/event.proto, and of {@code Summary} in
 * tensorflow/core/framework/summary.proto what a scalar needs, in the encoding of Protocol Buffers
 * (protobuf.dev/programming-guides/encoding).
 */
final class TensorBoardEvent {
    private static final int WALL_TIME = 1;
    private static final int STEP = 2;
    private static final int FILE_VERSION = 3;
    private static final int SUMMARY = 5;
    private static final int SESSION_LOG = 7;
    private static final int SUMMARY_VALUE = 1;
    private static final int VALUE_TAG = 1;
    private static final int VALUE_SIMPLE = 2;
    private static final int SESSION_STATUS = 1;
    private static final int STATUS_START = 1;

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;
    private static final int WIRE_TYPE_BITS = 3;
    private static final int GROUP_BITS = 7;
    private static final int MORE = 1 << GROUP_BITS;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private TensorBoardEvent() {}

    /** Begins every file. */
    static byte[] version(double wallTime) {
        byte[] version = "brain.Event:2".getBytes(StandardCharsets.UTF_8);
        return event(wallTime, 0).message(FILE_VERSION, version).toByteArray();
    }

    /** Tells TensorBoard to forget what earlier files say of this step and of those behind it. */
    static byte[] start(double wallTime, long step) {
        byte[] session =
                new TensorBoardEvent().varint(SESSION_STATUS, STATUS_START).toByteArray();
        return event(wallTime, step).message(SESSION_LOG, session).toByteArray();
    }

    /**
     * @param wallTime seconds since 1970
     * @param scalars by tag; rounded to 32 bits
     */
    static byte[] scalars(double wallTime, long step, Map<String, Double> scalars) {
        TensorBoardEvent summary = new TensorBoardEvent();
        scalars.forEach((tag, value) -> summary.message(
                SUMMARY_VALUE,
                new TensorBoardEvent()
                        .message(VALUE_TAG, tag.getBytes(StandardCharsets.UTF_8))
                        .fixed32(VALUE_SIMPLE, value.floatValue())
                        .toByteArray()));
        return event(wallTime, step).message(SUMMARY, summary.toByteArray()).toByteArray();
    }

    private static TensorBoardEvent event(double wallTime, long step) {
        return new TensorBoardEvent().fixed64(WALL_TIME, wallTime).varint(STEP, step);
    }

    private TensorBoardEvent varint(int field, long value) {
        key(field, VARINT);
        raw(value);
        return this;
    }

    private TensorBoardEvent fixed64(int field, double value) {
        key(field, FIXED64);
        bytes.writeBytes(little(Double.BYTES).putDouble(value).array());
        return this;
    }

    private TensorBoardEvent fixed32(int field, float value) {
        key(field, FIXED32);
        bytes.writeBytes(little(Float.BYTES).putFloat(value).array());
        return this;
    }

    private TensorBoardEvent message(int field, byte[] content) {
        key(field, LENGTH_DELIMITED);
        raw(content.length);
        bytes.writeBytes(content);
        return this;
    }

    private void key(int field, int wireType) {
        raw((long) field << WIRE_TYPE_BITS | wireType);
    }

    /** Seven bits a byte, the lowest first. */
    private void raw(long value) {
        long left = value;
        while (Long.compareUnsigned(left, MORE) >= 0) {
            bytes.write((int) (left & (MORE - 1)) | MORE);
            left >>>= GROUP_BITS;
        }
        bytes.write((int) left);
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private byte[] toByteArray() {
        return bytes.toByteArray();
    }
}
