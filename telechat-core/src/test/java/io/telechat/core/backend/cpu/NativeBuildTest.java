// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where there is no compiler, kernels of the same sources come out of an installed jar. */
class NativeBuildTest {
    private static final Path BUILT = Path.of("target/classes/native");
    private static final List<String> TOOLS = List.of(
            "bash", "cat", "cp", "cut", "dirname", "env", "find", "jar", "mkdir", "mktemp", "rm", "sha256sum", "uname");

    @TempDir
    private Path directory;

    private Path kernels;
    private Path bin;

    /** A folder of programs without a compiler among them, and the kernels that the build has made for all instruction sets. */
    @BeforeEach
    void findKernels() throws IOException {
        assumeTrue(Files.isDirectory(BUILT), "this build made no kernels");
        try (var files = Files.walk(BUILT)) {
            kernels = files.filter(file -> file.endsWith("sources.txt"))
                    .findAny()
                    .map(Path::getParent)
                    .orElse(null);
        }
        assumeTrue(
                kernels != null
                        && Files.readString(kernels.resolve("sources.txt"))
                                .strip()
                                .endsWith(" all"),
                "this build made kernels for its own CPU only");
        bin = Files.createDirectory(directory.resolve("bin"));
        for (String tool : TOOLS) {
            for (String place : System.getenv("PATH").split(File.pathSeparator)) {
                Path file = Path.of(place, tool);
                if (Files.isExecutable(file) && Files.notExists(bin.resolve(tool))) {
                    Files.createSymbolicLink(bin.resolve(tool), file);
                }
            }
            assumeTrue(Files.exists(bin.resolve(tool)), () -> "no " + tool);
        }
    }

    private Path jar(Path folder) {
        Path jar = directory.resolve("kernels.jar");
        ToolProvider tool = ToolProvider.findFirst("jar").orElseThrow();
        assertEquals(0, tool.run(System.out, System.err, "cf", jar.toString(), "-C", folder.toString(), "native"));
        return jar;
    }

    private String build(Path out, Path jar) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                        bin.resolve("bash").toString(),
                        "src/main/native/build.sh",
                        out.toString(),
                        "host",
                        jar.toString())
                .redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().put("PATH", bin.toString());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), said);
        return said;
    }

    @Test
    void takesThemFromTheJar() throws Exception {
        Path out = directory.resolve("out of it");
        String said = build(out, jar(Path.of("target/classes")));
        assertTrue(said.contains("which has them of the same sources"), said);
        Path made = out.resolve(kernels.getFileName());
        for (String name : List.of("sources.txt", "libtelechat_kernels.so")) {
            assertArrayEquals(Files.readAllBytes(kernels.resolve(name)), Files.readAllBytes(made.resolve(name)));
        }
        assertTrue(said.contains("missing for:"), said);
    }

    @Test
    void leavesThoseOfOtherSources() throws Exception {
        Path other = Files.createDirectories(directory.resolve("other/native").resolve(kernels.getFileName()));
        Files.copy(kernels.resolve("libtelechat_kernels.so"), other.resolve("libtelechat_kernels.so"));
        Files.writeString(other.resolve("sources.txt"), "0123456789abcdef all\n");
        Path out = directory.resolve("out");
        String said = build(out, jar(directory.resolve("other")));
        assertTrue(said.contains("no C compiler"), said);
        assertFalse(Files.exists(out.resolve(kernels.getFileName()).resolve("libtelechat_kernels.so")));
    }
}
