// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Keys and values of a GGUF file that is being made, in the types that llama.cpp expects of each. */
public final class GgufValues {
    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final Bytes out = new Bytes();
    private int count;

    /** Little-endian. */
    static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);

        void int32(int value) {
            out.write(buffer.putInt(0, value).array(), 0, Integer.BYTES);
        }

        void int64(long value) {
            out.write(buffer.putLong(0, value).array(), 0, Long.BYTES);
        }

        void float32(float value) {
            int32(Float.floatToRawIntBits(value));
        }

        void text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            int64(bytes.length);
            out.writeBytes(bytes);
        }

        void append(Bytes other) {
            out.writeBytes(other.out.toByteArray());
        }

        byte[] toArray() {
            return out.toByteArray();
        }
    }

    private Bytes begin(String key, int type) {
        count++;
        out.text(key);
        out.int32(type);
        return out;
    }

    public void text(String key, String value) {
        begin(key, STRING).text(value);
    }

    public void integer(String key, int value) {
        begin(key, UINT32).int32(value);
    }

    public void number(String key, double value) {
        begin(key, FLOAT32).float32((float) value);
    }

    public void flag(String key, boolean value) {
        begin(key, BOOL).out.write(value ? 1 : 0);
    }

    private void beginArray(String key, int type, int size) {
        begin(key, ARRAY).int32(type);
        out.int64(size);
    }

    public void texts(String key, List<String> values) {
        beginArray(key, STRING, values.size());
        values.forEach(out::text);
    }

    public void integers(String key, List<Integer> values) {
        beginArray(key, INT32, values.size());
        values.forEach(out::int32);
    }

    public void numbers(String key, List<Float> values) {
        beginArray(key, FLOAT32, values.size());
        values.forEach(out::float32);
    }

    /** How many keys there are. */
    int count() {
        return count;
    }

    /** All keys and values as they are in a file. */
    Bytes bytes() {
        return out;
    }
}
