// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernels for instruction sets that this machine need not have, where the tools are there to run them. */
@Tag("slow")
@Execution(ExecutionMode.CONCURRENT)
class EmulatedKernelsTest {
    private static final Path CHECK = Path.of("src", "test", "native", "check.sh");
    private static final int SKIPPED = 77;

    @TempDir
    private Path directory;

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"neon", "avx512", "avx512_bf16", "amx"})
    @EnabledOnOs(OS.LINUX)
    void kernelsMatchTheirDefinitions(String tier) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("bash", CHECK.toString(), directory.toString(), tier)
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assumeTrue(process.exitValue() != SKIPPED, output);
        assertEquals(0, process.exitValue(), output);
    }
}
