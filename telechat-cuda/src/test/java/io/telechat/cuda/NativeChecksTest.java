// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The kernels, and the emulation and stand-ins themselves, under ThreadSanitizer, to which each thread of a GPU is one of its own, and
 * under AddressSanitizer: what a barrier is missing for, and who leaves his array.
 */
@NeedsEmulation
@Tag("slow")
@Tag("sanitizers")
class NativeChecksTest {
    @Test
    @Timeout(value = 12, unit = TimeUnit.MINUTES)
    void nothingIsFound() throws IOException, InterruptedException {
        Path folder = Path.of(System.getProperty("telechat.cuda.library")).getParent();
        Process process = new ProcessBuilder(List.of("sh", "src/test/native/build.sh", folder.toString(), "check"))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        assertTrue(output.contains("(thread): ") && output.contains("(address): "), output);
    }
}
