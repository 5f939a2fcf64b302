// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads TensorBoard's event files by their description; shares nothing with what writes them. */
final class EventFileReader {
    private EventFileReader() {}

    /** @param status of the session log; 0 if there is none */
    record Event(double wallTime, long step, String version, int status, Map<String, Float> scalars) {}

    static List<Event> read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Event> events = new ArrayList<>();
        while (bytes.hasRemaining()) {
            int start = bytes.position();
            int length = Math.toIntExact(bytes.getLong());
            assertEquals(mask(crc32c(bytes.array(), start, Long.BYTES)), bytes.getInt(), "CRC of the length");
            byte[] record = new byte[length];
            bytes.get(record);
            assertEquals(mask(crc32c(record, 0, length)), bytes.getInt(), "CRC of the record");
            events.add(event(record));
        }
        return events;
    }

    /** Bit by bit, with Castagnoli's polynomial reversed. */
    static int crc32c(byte[] bytes, int from, int count) {
        int crc = -1;
        for (int i = from; i < from + count; i++) {
            crc ^= bytes[i] & 0xff;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ 0x82f63b78;
            }
        }
        return ~crc;
    }

    private static int mask(int crc) {
        return (crc >>> 15 | crc << 17) + 0xa282ead8;
    }

    private static Event event(byte[] record) {
        Map<Integer, List<Object>> fields = fields(record);
        Map<String, Float> scalars = new LinkedHashMap<>();
        for (Object summary : fields.getOrDefault(5, List.of())) {
            for (Object value : fields((byte[]) summary).get(1)) {
                Map<Integer, List<Object>> scalar = fields((byte[]) value);
                scalars.put(
                        text(scalar.get(1).getFirst()), (Float) scalar.get(2).getFirst());
            }
        }
        int status = 0;
        for (Object session : fields.getOrDefault(7, List.of())) {
            status = ((Long) fields((byte[]) session).get(1).getFirst()).intValue();
        }
        return new Event(
                (Double) fields.get(1).getFirst(),
                (Long) fields.get(2).getFirst(),
                fields.containsKey(3) ? text(fields.get(3).getFirst()) : "",
                status,
                scalars);
    }

    private static String text(Object bytes) {
        return new String((byte[]) bytes, StandardCharsets.UTF_8);
    }

    /** By number: Long, Double, Float or byte[], as the wire says. */
    private static Map<Integer, List<Object>> fields(byte[] message) {
        Map<Integer, List<Object>> fields = new HashMap<>();
        ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            int key = (int) varint(in);
            Object value = switch (key % 8) {
                case 0 -> varint(in);
                case 1 -> in.getDouble();
                case 2 -> {
                    byte[] content = new byte[(int) varint(in)];
                    in.get(content);
                    yield content;
                }
                case 5 -> in.getFloat();
                default -> throw new AssertionError("wire type " + key % 8);
            };
            assertTrue(key >= 8, "field number");
            fields.computeIfAbsent(key / 8, _ -> new ArrayList<>()).add(value);
        }
        return fields;
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = in.get();
            value += (next & 127L) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
