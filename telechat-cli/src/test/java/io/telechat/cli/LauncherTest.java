// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script {@code telechat}, in a checkout of its own that it builds itself, without kernels in C for speed. */
@Tag("slow")
@DisabledOnOs(OS.WINDOWS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LauncherTest {
    private static final Set<String> LEFT_OUT =
            Set.of(".git", "target", "test", "docs", "benchmarks", "telechat-bench");

    @TempDir
    static Path directory;

    private static Path checkout;
    private static Path elsewhere;

    @BeforeAll
    static void copyTheSources() throws IOException {
        boolean hasMaven = Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "mvn")));
        assumeTrue(hasMaven, "needs mvn on the PATH");
        checkout = Files.createDirectory(directory.resolve("a checkout"));
        elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
        Path from = Path.of("..").toRealPath();
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
                if (LEFT_OUT.contains(folder.getFileName().toString())) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.createDirectories(checkout.resolve(from.relativize(folder)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.copy(file, checkout.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
                return FileVisitResult.CONTINUE;
            }
        });
        Path bin = Files.createDirectory(directory.resolve("bin"));
        Files.createSymbolicLink(bin.resolve("telechat"), checkout.resolve("telechat"));
    }

    /** Runs {@code telechat} as found on the PATH, with this on stdin. */
    private static Program.Result run(String input, String... arguments) throws Exception {
        return run(Map.of(), input, arguments);
    }

    private static Program.Result run(Map<String, String> variables, String input, String... arguments)
            throws Exception {
        return run(directory.resolve("bin/telechat"), variables, input, arguments);
    }

    private static Program.Result run(Path program, Map<String, String> variables, String input, String... arguments)
            throws Exception {
        String[] command = new String[arguments.length + 1];
        command[0] = program.toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Path out = Files.createTempFile(directory, "stdout", ".txt");
        Path err = Files.createTempFile(directory, "stderr", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(elsewhere.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        Map<String, String> environment = builder.environment();
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("PATH", directory.resolve("bin") + File.pathSeparator + environment.get("PATH"));
        environment.put("CC", "false");
        environment.put("LC_ALL", "C.UTF-8");
        environment.putAll(variables);
        Process process = builder.start();
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        }
        assertTrue(process.waitFor(5, TimeUnit.MINUTES), "no end in five minutes");
        return new Program.Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Test
    @Order(1)
    void buildsAndAnswersFromAnotherDirectoryThroughALink() throws Exception {
        Program.Result result = run("中国的首都是哪里？\n", "chat");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().contains("北京"), result.out());
        assertTrue(result.err().contains("building"), result.err());
        assertEquals(0, elsewhere.toFile().list().length);
    }

    @Test
    @Order(2)
    void isNotBuiltAgain() throws Exception {
        Program.Result result = run("", "version");
        assertEquals(0, result.code(), result.err());
        assertFalse(result.err().contains("building"), result.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "POSIX", "xx_XX.UTF-8"})
    @Order(2)
    void argumentsInChineseArriveInAnyLocale(String locale) throws Exception {
        Program.Result result = run(Map.of("LC_ALL", locale), "", "chat", "--prompt", "中国的首都是哪里？");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().contains("北京"), result.out());
    }

    @Test
    @Order(2)
    void speaksTheLanguageOfALocaleThatIsNotInstalled() throws Exception {
        Program.Result result = run(Map.of("LC_ALL", "zh_CN.UTF-8"), "", "info", "nowhere");
        assertEquals(3, result.code(), result.err());
        assertTrue(result.err().contains("没有这个目录"), result.err());
    }

    @Test
    @Order(3)
    void aStaleBuildLeavesStdinToTheCommand() throws Exception {
        Path source = checkout.resolve("telechat-cli/src/main/java/io/telechat/cli/VersionCommand.java");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
        Program.Result result = run("中国的首都是哪里？\n", "chat");
        assertTrue(result.err().contains("building"), result.err());
        assertTrue(result.out().contains("北京"), result.out());
    }

    @Test
    @Order(4)
    void theReleaseRunsWhereItIsUnpacked() throws Exception {
        Path zip;
        try (Stream<Path> files = Files.list(checkout.resolve("telechat-cli/target"))) {
            zip = files.filter(file -> file.toString().endsWith(".zip"))
                    .findFirst()
                    .orElseThrow();
        }
        Path unpacked = Files.createDirectory(directory.resolve("a release"));
        try (ZipFile release = new ZipFile(zip.toFile())) {
            for (ZipEntry entry : Collections.list(release.entries())) {
                Path file = unpacked.resolve(entry.getName());
                if (entry.isDirectory()) {
                    Files.createDirectories(file);
                } else {
                    Files.copy(release.getInputStream(entry), file);
                }
            }
        }
        Path program;
        try (Stream<Path> files = Files.list(unpacked)) {
            program = files.findFirst().orElseThrow().resolve("bin/telechat");
        }
        assertTrue(program.toFile().setExecutable(true));
        Map<String, String> cached =
                Map.of("TELECHAT_CACHE", directory.resolve("cache").toString());
        Program.Result first = run(program, cached, "", "chat", "--prompt", "中国的首都是哪里？");
        assertEquals(0, first.code(), first.err());
        assertTrue(first.out().contains("北京"), first.out());
        assertTrue(first.err().contains("first start"), first.err());
        Program.Result second = run(program, cached, "", "version");
        assertEquals("", second.err());
        Program.Result without = run(program, Map.of("TELECHAT_CACHE", ""), "", "version");
        assertEquals(second.out(), without.out());
        assertEquals("", without.err());
    }
}
