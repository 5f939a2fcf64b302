// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.TelechatException;
import io.telechat.train.StepReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What a user is told when {@code metrics.jsonl} cannot be written. */
class RunLogTest {
    @TempDir
    Path run;

    private Path metrics() {
        return run.resolve("metrics.jsonl");
    }

    private RunLog log() {
        return new RunLog(run, false, false, true);
    }

    private void assertTold(Executable call, String reason) {
        TelechatException told = assertThrows(TelechatException.class, call);
        assertTrue(told.getMessage().startsWith(metrics() + ": cannot be written: " + reason), told.getMessage());
        assertEquals(ExitCode.BAD_DATA, ExitCode.of(told));
    }

    /** {@code /dev/full} can be opened, and is full. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsNamed() throws IOException {
        Files.createSymbolicLink(metrics(), Path.of("/dev/full"));
        RunLog log = log();
        log.started(0, 2);
        assertTold(() -> log.step(new StepReport(1, 2, 1e-5, 1, 64, 1, Double.NaN, 1)), "No space left on device");
        assertTold(() -> log.evaluated(1, 2), "No space left on device");
    }

    @Test
    void aDirectoryThatIsGoneIsNamed() throws IOException {
        Files.delete(run);
        assertTold(() -> log().started(0, 2), "there is no such file or directory");
        Files.createDirectory(run);
    }

    @Test
    void aFileThatIsNoneIsNamed() throws IOException {
        Files.createDirectory(metrics());
        assertTold(() -> log().started(0, 2), "Is a directory");
    }
}
