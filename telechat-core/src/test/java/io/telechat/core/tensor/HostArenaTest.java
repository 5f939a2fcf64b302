// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HostArenaTest {
    private static final int MIB = 1 << 20;

    @Test
    void tensorsOfAnySizeAreZeroAlignedAndApart() {
        List<Tensor> tensors = new ArrayList<>();
        try (HostArena arena = new HostArena()) {
            long bytes = 0;
            for (int size : new int[] {1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5, 130 * MIB, 64, 2 * MIB}) {
                Tensor tensor = arena.allocate(DType.U8, size);
                tensors.add(tensor);
                bytes += size;
                assertEquals(0, tensor.segment().address() % 64, "alignment of " + size);
                assertEquals(size, tensor.segment().byteSize());
                assertEquals(-1, tensor.segment().mismatch(MemorySegment.ofArray(new byte[size])), "zeros");
                tensor.segment().fill((byte) tensors.size());
            }
            assertEquals(bytes, arena.bytes());
            for (int i = 0; i < tensors.size(); i++) {
                MemorySegment content = tensors.get(i).segment();
                assertEquals(i + 1, content.get(ValueLayout.JAVA_BYTE, 0), "the first byte of tensor " + i);
                assertEquals(
                        i + 1,
                        content.get(ValueLayout.JAVA_BYTE, content.byteSize() - 1),
                        "the last byte of tensor " + i);
            }
        }
        for (Tensor tensor : tensors) {
            assertThrows(
                    IllegalStateException.class,
                    () -> tensor.segment().fill((byte) 0),
                    "a closed arena's memory is gone");
        }
    }

    /** What the kernel says of a mapping: "hg" among its flags if large pages were asked for. */
    @Test
    void largeTensorsAskForLargePages() throws IOException {
        Path maps = Path.of("/proc/self/smaps");
        assumeTrue(Files.isReadable(maps), "no /proc/self/smaps here");
        assumeTrue(
                Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage/enabled")), "this kernel has no large pages");
        try (HostArena arena = new HostArena()) {
            long address = arena.allocate(DType.U8, 8 * MIB).segment().address();
            boolean inside = false;
            String flags = "";
            for (String line : Files.readAllLines(maps)) {
                if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                    String[] range = line.split(" ", 2)[0].split("-");
                    inside = Long.compareUnsigned(address, Long.parseUnsignedLong(range[0], 16)) >= 0
                            && Long.compareUnsigned(address, Long.parseUnsignedLong(range[1], 16)) < 0;
                } else if (inside && line.startsWith("VmFlags:")) {
                    flags = line;
                }
            }
            assertTrue(flags.contains(" hg"), "flags of the mapping: " + flags);
        }
    }
}
