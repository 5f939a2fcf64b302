// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pickles written by hand: what a state dict may hold, and what is refused by name. */
class PyTorchFileTest {
    @TempDir
    Path directory;

    private static final String TENSOR_PREFIX =
            "\u0080\u0002}X\u0001\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nFloatStorage\n"
                    + "X\u0001\0\0\0" + "0X\u0003\0\0\0cpuK\u0006tQ";

    private Path save(String pickle, boolean compressed) throws IOException {
        Path file = directory.resolve("pytorch_model.bin");
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            add(zip, "archive/data.pkl", pickle.getBytes(StandardCharsets.ISO_8859_1), compressed);
            ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < 6; i++) {
                data.putFloat(i);
            }
            add(zip, "archive/data/0", data.array(), compressed);
        }
        return file;
    }

    private static void add(ZipOutputStream zip, String name, byte[] bytes, boolean compressed) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        if (!compressed) {
            CRC32 crc = new CRC32();
            crc.update(bytes);
            entry.setMethod(ZipEntry.STORED);
            entry.setSize(bytes.length);
            entry.setCrc(crc.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(bytes);
        zip.closeEntry();
    }

    private float[] read(String pickle, String name) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            return PyTorchFile.open(save(pickle, false), arena).tensor(name).toFloats();
        }
    }

    private String refusal(String pickle) throws IOException {
        Path file = save(pickle, false);
        try (Arena arena = Arena.ofConfined()) {
            return assertThrows(InvalidModelException.class, () -> PyTorchFile.open(file, arena))
                    .getMessage();
        }
    }

    @Test
    void readsViewsWithOffsetAndTransposedStrides() throws IOException {
        // offset 1, size (2, 2), stride (2, 1); then size (3, 2) with the strides of a transposed matrix
        assertArrayEquals(
                new float[] {1, 2, 3, 4},
                read(TENSOR_PREFIX + "K\u0001K\u0002K\u0002\u0086K\u0002K\u0001\u0086\u0089NtRs.", "w"));
        assertArrayEquals(
                new float[] {0, 3, 1, 4, 2, 5},
                read(TENSOR_PREFIX + "K\0K\u0003K\u0002\u0086K\u0001K\u0003\u0086\u0089NtRs.", "w"));
    }

    @Test
    void refusesForbiddenCallablesByName() throws IOException {
        assertTrue(
                refusal("\u0080\u0002cposix\nsystem\nX\u0004\0\0\0ls -\u0085R.").contains("posix.system"));
        assertTrue(refusal("\u0080\u0002cbuiltins\neval\nX\u0001\0\0\0" + "1\u0085R.")
                .contains("builtins.eval"));
        assertTrue(refusal("\u0080\u0002(i__main__\nC\n.").contains("0x69"));
    }

    @Test
    void refusesTensorsBeyondTheirStorage() throws IOException {
        assertTrue(refusal(TENSOR_PREFIX + "K\u0001K\u0003K\u0002\u0086K\u0002K\u0001\u0086\u0089NtRs.")
                .contains("'w'"));
        // An empty tensor, a storage's length behind its storage.
        assertTrue(refusal(TENSOR_PREFIX + "K\u0063K\0\u0085K\u0001\u0085\u0089NtRs.")
                .contains("'w'"));
        // A stride of zero would make 65,535 elements out of one.
        assertTrue(refusal(TENSOR_PREFIX + "K\0M\u00ff\u00ff\u0085K\0\u0085\u0089NtRs.")
                .contains("'w'"));
    }

    @Test
    void refusesCompressedMembers() throws IOException {
        Path file = save(TENSOR_PREFIX + "K\0K\u0006\u0085K\u0001\u0085\u0089NtRs.", true);
        try (Arena arena = Arena.ofConfined()) {
            InvalidModelException e = assertThrows(InvalidModelException.class, () -> PyTorchFile.open(file, arena));
            assertTrue(e.getMessage().contains("compressed"), e.getMessage());
        }
    }

    @Test
    void refusesOldFormatsWithAHint() throws IOException {
        Path file = directory.resolve("old.bin");
        try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
            out.write("\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.".getBytes(StandardCharsets.ISO_8859_1));
            Files.write(file, out.toByteArray());
        }
        try (Arena arena = Arena.ofConfined()) {
            InvalidModelException e = assertThrows(InvalidModelException.class, () -> PyTorchFile.open(file, arena));
            assertTrue(e.getMessage().contains("zip"), e.getMessage());
        }
    }
}
