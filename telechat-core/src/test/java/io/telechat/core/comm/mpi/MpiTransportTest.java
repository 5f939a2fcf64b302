// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.mpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.comm.launch.Mpirun;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that are processes, started by a real {@code mpirun}. */
@Tag("slow")
class MpiTransportTest {
    private record Result(int code, String output) {}

    private static Result run(int ranks, String what) throws Exception {
        assumeTrue(
                Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(p -> Files.isExecutable(Path.of(p, "mpirun"))),
                "needs mpirun");
        List<String> program = List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                MpiRank.class.getName(),
                what);
        List<String> command = Mpirun.find().command(Optional.empty(), Optional.empty(), ranks, program);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT", "1");
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Result(process.exitValue(), output);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void keepsTheContract(int ranks) throws Exception {
        Result result = run(ranks, "contract");
        assertEquals(0, result.code(), result.output());
    }

    @Test
    void ranksThatComeApartHearOfIt() throws Exception {
        Result result = run(2, "apart");
        assertEquals(0, result.output().lines().filter(l -> l.contains("\tat ")).count(), result.output());
    }

    @Test
    void aRankThatDiesEndsAll() throws Exception {
        assertNotEquals(0, run(2, "silent").code());
    }
}
