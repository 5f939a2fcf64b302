// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.tensor.Shape;
import io.telechat.core.testing.GgufBytes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
    private static final Path NAME = Path.of("some.gguf");

    private static GgufFile read(byte[] bytes) {
        return GgufFile.read(NAME, MemorySegment.ofArray(bytes));
    }

    private static void refused(String why, byte[] bytes) {
        String message =
                assertThrows(InvalidModelException.class, () -> read(bytes)).getMessage();
        assertTrue(message.startsWith("some.gguf: ") && message.contains(why), message);
    }

    private static byte[] floats(int count) {
        return new byte[4 * count];
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void tensorsHaveTheirOutermostDimensionFirst(int version) {
        GgufFile file = read(new GgufBytes()
                .version(version)
                .floats("a", new float[] {1, 2, 3, 4, 5, 6}, 3, 2)
                .floats("b", new float[] {7}, 1)
                .toArray());
        assertEquals(List.of("a", "b"), List.copyOf(file.tensors().keySet()));
        assertEquals(Shape.of(2, 3), file.tensors().get("a").shape());
        assertArrayEquals(
                new float[] {4, 5, 6}, file.tensors().get("a").row(1).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
        assertEquals(7, file.tensors().get("b").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
    }

    @Test
    void dataAreWhereTheAlignmentPutsThem() {
        GgufFile file = read(
                new GgufBytes().alignment(256).floats("a", new float[] {5}, 1).toArray());
        assertEquals(5, file.tensors().get("a").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
    }

    @Test
    void valuesOfAllTypesAreRead() {
        GgufMetadata values = read(new GgufBytes()
                        .key("u8", 0, new byte[] {-1})
                        .key("i8", 1, new byte[] {5})
                        .key("u16", 2, new byte[] {-1, -1})
                        .key("i16", 3, new byte[] {2, 1})
                        .uint32("u32", Integer.MAX_VALUE)
                        .key("i32", 5, GgufBytes.int32(9))
                        .float32("f32", 1e-5f)
                        .flag("flag", true)
                        .string("text", "天翼")
                        .strings("texts", List.of("a", "", "ç"))
                        .key("u64", 10, GgufBytes.int64(10))
                        .key("i64", 11, GgufBytes.int64(11))
                        .key("f64", 12, GgufBytes.int64(Double.doubleToLongBits(0.1)))
                        .toArray())
                .metadata();
        assertEquals(255, values.requiredInteger("u8"));
        assertEquals(5, values.requiredInteger("i8"));
        assertEquals(65535, values.requiredInteger("u16"));
        assertEquals(258, values.requiredInteger("i16"));
        assertEquals(Integer.MAX_VALUE, values.requiredInteger("u32"));
        assertEquals(9, values.requiredInteger("i32"));
        assertEquals(1e-5, values.number("f32").orElseThrow(), "not 9.99999974e-6");
        assertTrue(values.flag("flag").orElseThrow());
        assertEquals("天翼", values.text("text").orElseThrow());
        assertEquals(List.of("a", "", "ç"), values.list("texts", String.class));
        assertEquals(10, values.requiredInteger("u64"));
        assertEquals(11, values.requiredInteger("i64"));
        assertEquals(0.1, values.number("f64").orElseThrow());
    }

    @Test
    void aValueOfAnotherTypeIsNamed() {
        GgufMetadata values = read(new GgufBytes()
                        .string("key", "value")
                        .uint32("big", -1)
                        .toArray())
                .metadata();
        for (String message : List.of(
                assertThrows(InvalidModelException.class, () -> values.integer("key"))
                        .getMessage(),
                assertThrows(InvalidModelException.class, () -> values.number("key"))
                        .getMessage(),
                assertThrows(InvalidModelException.class, () -> values.list("key", String.class))
                        .getMessage())) {
            assertTrue(message.startsWith("some.gguf: 'key' is value, must be "), message);
        }
        assertThrows(InvalidModelException.class, () -> values.integer("big"));
        assertThrows(InvalidModelException.class, () -> values.requiredInteger("none"));
    }

    @Test
    void otherFilesAreRefused() {
        refused("not a GGUF file", new byte[0]);
        refused("not a GGUF file", "GGML".getBytes());
        refused("version 1", new GgufBytes().version(1).toArray());
        refused("version 4", new GgufBytes().version(4).toArray());
        refused("big-endian", new GgufBytes().version(3 << 24).toArray());
    }

    @Test
    void everyCutIsRefused() {
        byte[] whole = new GgufBytes()
                .string("key", "value")
                .strings("list", List.of("a", "b"))
                .floats("a", new float[40], 20, 2)
                .toArray();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThrows(InvalidModelException.class, () -> read(cut), "cut to " + length);
        }
    }

    @Test
    void whatIsThereTwiceIsRefused() {
        refused(
                "key 'key' twice",
                new GgufBytes().flag("key", true).flag("key", true).toArray());
        refused(
                "tensor 'a' twice",
                new GgufBytes()
                        .floats("a", new float[1], 1)
                        .floats("a", new float[1], 1)
                        .toArray());
    }

    @Test
    void claimsBeyondTheFileAreRefused() {
        byte[] counts = new GgufBytes().toArray();
        for (int at : new int[] {8, 16}) {
            for (long count : new long[] {-1, Long.MAX_VALUE, 1 << 20}) {
                byte[] bad = counts.clone();
                System.arraycopy(GgufBytes.int64(count), 0, bad, at, 8);
                refused("more than the file can hold", bad);
            }
        }
        refused(
                "more than",
                new GgufBytes().key("k", 8, GgufBytes.int64(1L << 40)).toArray());
        refused(
                "more than",
                new GgufBytes()
                        .key("k", 9, GgufBytes.join(GgufBytes.int32(8), GgufBytes.int64(1L << 40)))
                        .toArray());
    }

    @Test
    void unknownTypesOfValuesAndNestedListsAreRefused() {
        refused("unknown type 77", new GgufBytes().key("k", 77, new byte[8]).toArray());
        byte[] nested = GgufBytes.join(GgufBytes.int32(9), GgufBytes.int64(1), new byte[12]);
        refused("unknown type 9", new GgufBytes().key("k", 9, nested).toArray());
    }

    @Test
    void aTypeThatIsNotReadIsNamed() {
        refused(
                "tensor 'a' is IQ4_XS",
                new GgufBytes().tensor("a", 23, floats(64), 256).toArray());
        refused(
                "tensor 'a' is 99",
                new GgufBytes().tensor("a", 99, floats(64), 256).toArray());
    }

    @Test
    void impossibleShapesAreRefused() {
        refused("impossible", new GgufBytes().tensor("a", 0, floats(1), 0).toArray());
        refused("impossible", new GgufBytes().tensor("a", 0, floats(1), -1).toArray());
        refused(
                "impossible",
                new GgufBytes()
                        .tensor("a", 0, floats(1), 1L << 30, 1L << 30, 1L << 30)
                        .toArray());
        refused("impossible", new GgufBytes().tensor("a", 8, floats(64), 33).toArray());
        refused("0 dimensions", new GgufBytes().tensor("a", 0, floats(1)).toArray());
        refused(
                "5 dimensions",
                new GgufBytes().tensor("a", 0, floats(1), 1, 1, 1, 1, 1).toArray());
    }

    @Test
    void tensorsMustLieApartAndAligned() {
        refused(
                "within another",
                new GgufBytes()
                        .tensor("a", 0, floats(16), 16)
                        .tensorAt(32, "b", 0, floats(16), 16)
                        .toArray());
        refused(
                "off the alignment",
                new GgufBytes().tensorAt(4, "a", 0, floats(1), 1).toArray());
        refused(
                "truncated",
                new GgufBytes().tensorAt(1L << 40, "a", 0, floats(1), 1).toArray());
        refused(
                "impossible",
                new GgufBytes().tensorAt(-32, "a", 0, floats(1), 1).toArray());
        refused(
                "impossible",
                new GgufBytes()
                        .tensorAt(Long.MAX_VALUE - 3, "a", 0, floats(8), 8)
                        .toArray());
    }

    @Test
    void anAlignmentThatIsNoneIsRefused() {
        refused("a power of two", new GgufBytes().alignment(48).toArray());
        refused("a power of two", new GgufBytes().uint32("general.alignment", 0).toArray());
    }
}
