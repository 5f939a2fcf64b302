// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.tensor.HostArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LimitProbeTest {
    private static final Path STATUS = Path.of("/proc/self/status");

    @Test
    void theMemoryThatIsReadHasPagesOfItsOwn() throws IOException {
        assumeTrue(Files.isReadable(STATUS), "not Linux");
        try (HostArena arena = new HostArena()) {
            long before = residentBytes();
            LimitProbe.memory(arena);
            long taken = residentBytes() - before;
            assertTrue(taken > 0.9 * LimitProbe.READ_BYTES, "only %d MiB more".formatted(taken >> 20));
        }
    }

    private static long residentBytes() throws IOException {
        return Files.readAllLines(STATUS).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findAny()
                .orElseThrow();
    }
}
