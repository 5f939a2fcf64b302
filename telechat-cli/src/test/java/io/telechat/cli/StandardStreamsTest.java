// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class StandardStreamsTest {
    /** As {@code telechat completion bash | head -n 0}. */
    @Test
    void aReaderThatLeavesEndsItQuietly() throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Dtelechat.tty.stdin=false",
                "-Dtelechat.tty.stdout=false",
                "-Dtelechat.tty.stderr=false",
                "-cp",
                System.getProperty("java.class.path"),
                "io.telechat.cli.TelechatCli",
                "completion",
                "bash");
        Process process = builder.start();
        process.getInputStream().close();
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "no end in a minute");
        assertEquals(ExitCode.PIPE_CLOSED, process.exitValue(), err);
        assertEquals("", err);
    }
}
