// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** GGUF files byte by byte, as the format's description has them, good and bad ones. */
public final class GgufBytes {
    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final List<Tensor> tensors = new ArrayList<>();
    private int keyCount;
    private int version = 3;
    private int alignment = 32;

    private record Tensor(String name, int type, long[] dims, byte[] data, long offset) {}

    public GgufBytes version(int number) {
        version = number;
        return this;
    }

    public GgufBytes alignment(int bytes) {
        alignment = bytes;
        return uint32("general.alignment", bytes);
    }

    /** A value of any type, as its number and bytes. */
    public GgufBytes key(String name, int type, byte[] value) {
        keys.writeBytes(text(name));
        keys.writeBytes(int32(type));
        keys.writeBytes(value);
        keyCount++;
        return this;
    }

    public GgufBytes uint32(String name, int value) {
        return key(name, 4, int32(value));
    }

    public GgufBytes float32(String name, float value) {
        return key(name, 6, int32(Float.floatToIntBits(value)));
    }

    public GgufBytes flag(String name, boolean value) {
        return key(name, 7, new byte[] {(byte) (value ? 1 : 0)});
    }

    public GgufBytes string(String name, String value) {
        return key(name, 8, text(value));
    }

    public GgufBytes strings(String name, List<String> values) {
        return array(name, 8, values.stream().map(GgufBytes::text).toList());
    }

    public GgufBytes int32s(String name, List<Integer> values) {
        return array(name, 5, values.stream().map(GgufBytes::int32).toList());
    }

    public GgufBytes float32s(String name, List<Float> values) {
        return array(
                name,
                6,
                values.stream().map(v -> int32(Float.floatToIntBits(v))).toList());
    }

    private GgufBytes array(String name, int type, List<byte[]> values) {
        return key(name, 9, join(int32(type), int64(values.size()), join(values.toArray(byte[][]::new))));
    }

    /** @param dims innermost first, as in the file */
    public GgufBytes tensor(String name, int type, byte[] data, long... dims) {
        long offset = tensors.stream()
                .mapToLong(t -> (t.offset() + t.data().length + alignment - 1) / alignment * alignment)
                .max()
                .orElse(0);
        return tensorAt(offset, name, type, data, dims);
    }

    /** Where it says to be, whatever lies there. */
    public GgufBytes tensorAt(long offset, String name, int type, byte[] data, long... dims) {
        tensors.add(new Tensor(name, type, dims, data, offset));
        return this;
    }

    /** A tensor of float32. */
    public GgufBytes floats(String name, float[] values, long... dims) {
        return tensor(name, 0, floatBytes(values), dims);
    }

    public byte[] toArray() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(join("GGUF".getBytes(StandardCharsets.US_ASCII), int32(version)));
        out.writeBytes(join(int64(tensors.size()), int64(keyCount), keys.toByteArray()));
        for (Tensor tensor : tensors) {
            out.writeBytes(join(text(tensor.name()), int32(tensor.dims().length)));
            for (long dim : tensor.dims()) {
                out.writeBytes(int64(dim));
            }
            out.writeBytes(join(int32(tensor.type()), int64(tensor.offset())));
        }
        pad(out);
        int start = out.size();
        for (Tensor tensor : tensors) {
            while (out.size() < start + Math.min(tensor.offset(), 1 << 20)) {
                out.write(0);
            }
            out.writeBytes(tensor.data());
        }
        return out.toByteArray();
    }

    private void pad(ByteArrayOutputStream out) {
        while (out.size() % alignment != 0) {
            out.write(0);
        }
    }

    public static byte[] floatBytes(float... values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            buffer.putFloat(value);
        }
        return buffer.array();
    }

    public static byte[] int32(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    public static byte[] int64(long value) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
    }

    public static byte[] text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        return join(int64(bytes.length), bytes);
    }

    public static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
