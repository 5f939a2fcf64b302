// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs {@code telechat} as a process of its own. */
final class Program {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    /** Of the JVM, as in the launcher: the Vector API is there where kernels in Java are needed. */
    private static final List<String> JAVA_OPTIONS = Stream.concat(
                    KernelTiers.best() == KernelTier.VECTOR
                            ? Stream.of("--add-modules", "jdk.incubator.vector")
                            : Stream.of(),
                    Stream.of(
                            "--enable-native-access=ALL-UNNAMED",
                            "--sun-misc-unsafe-memory-access=allow",
                            "-XX:TieredStopAtLevel=1"))
            .toList();

    private static final StartFiles FILES = StartFiles.make(JAVA_OPTIONS);

    private Program() {}

    /** What a script sees of a run. */
    record Result(int code, String out, String err) {
        List<JsonNode> json() throws IOException {
            List<JsonNode> lines = new ArrayList<>();
            for (String line : out.lines().toList()) {
                lines.add(MAPPER.readTree(line));
            }
            return lines;
        }
    }

    /** A process that may still be on its way. */
    record Started(Process process, Path out, Path err) {
        /** Waits for its end. */
        Result result() throws Exception {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "no end in a minute");
            String errors =
                    Files.readString(err).replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "");
            return new Result(process.exitValue(), Files.readString(out), errors);
        }
    }

    /** What to put in front of arguments. */
    static List<String> command() {
        return command(List.of());
    }

    private static List<String> command(List<String> javaOptions) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        command.addAll(JAVA_OPTIONS);
        command.addAll(FILES.options());
        command.addAll(javaOptions);
        command.addAll(List.of(
                "-Dtelechat.tty.stdin=false",
                "-Dtelechat.tty.stdout=false",
                "-Dtelechat.tty.stderr=false",
                "-cp",
                FILES.classPath(),
                "io.telechat.cli.TelechatCli"));
        return command;
    }

    /** @param directory for scratch files */
    static Result run(Path directory, byte[] input, String... args) throws Exception {
        Started started = start(directory, args);
        try (OutputStream stdin = started.process().getOutputStream()) {
            stdin.write(input);
        } catch (IOException e) {
            // The program may be done before it has read everything.
        }
        return started.result();
    }

    /** Likewise, and does not wait. */
    static Started start(Path directory, String... args) throws IOException {
        return start(directory, List.of(), args);
    }

    /** Likewise, in an environment with these variables, too. */
    static Started start(Path directory, Map<String, String> variables, String... args) throws IOException {
        return start(directory, List.of(), variables, args);
    }

    /** Likewise, with further options for the JVM. */
    static Started start(Path directory, List<String> javaOptions, String... args) throws IOException {
        return start(directory, javaOptions, Map.of(), args);
    }

    private static Started start(
            Path directory, List<String> javaOptions, Map<String, String> variables, String... args)
            throws IOException {
        List<String> command = new ArrayList<>(command(javaOptions));
        command.addAll(Arrays.asList(args));
        Path err = Files.createTempFile(directory, "stderr", ".txt");
        Path out = Files.createTempFile(directory, "stdout", ".txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectError(err.toFile()).redirectOutput(out.toFile());
        builder.environment().put("LC_ALL", "C.UTF-8"); // what tests expect is English
        builder.environment().putAll(variables);
        return new Started(builder.start(), out, err);
    }

    static void assertError(int code, String part, Result result) {
        assertEquals(code, result.code(), result.err());
        assertTrue(result.err().contains(part), result.err());
        assertTrue(result.err().startsWith("telechat: "), result.err());
        assertFalse(result.err().contains("\tat "), result.err());
        assertTrue(result.err().lines().count() <= 3, result.err());
    }
}
