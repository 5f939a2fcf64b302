// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What programs are started from, once for many tests: jars in place of folders of classes, because the JVM keeps classes of jars
 * only, and its cache of them, as the launcher makes one. Where that cannot be made, programs start without, only later.
 *
 * @param classPath jars
 * @param options of the JVM, for the cache
 */
record StartFiles(String classPath, List<String> options) {
    private static final Path FOLDER = Path.of("target", "program").toAbsolutePath();
    private static final Path CACHE = FOLDER.resolve("telechat.aot");
    /** What the cache was made from. */
    private static final Path KEY = FOLDER.resolve("key");

    private static final int MINUTES = 2;

    /** @param javaOptions that programs are started with, too: a cache is of the same JVM */
    static StartFiles make(List<String> javaOptions) {
        List<Path> entries = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.isEmpty())
                .map(Path::of)
                .filter(entry -> Files.exists(entry) && !isOfTests(entry))
                .toList();
        try {
            String key = javaOptions + "\n" + Runtime.version() + "\n" + state(entries);
            boolean fresh = Files.exists(CACHE)
                    && Files.exists(KEY)
                    && Files.readString(KEY).equals(key);
            if (!fresh) {
                Files.createDirectories(FOLDER);
                Files.deleteIfExists(KEY);
                Files.deleteIfExists(CACHE);
            }
            List<String> jars = new ArrayList<>();
            for (Path entry : entries) {
                jars.add((Files.isDirectory(entry) ? jar(entry, fresh) : entry).toString());
            }
            String classPath = String.join(File.pathSeparator, jars);
            if (!fresh) {
                makeCache(javaOptions, classPath);
                Files.writeString(KEY, key);
            }
            return new StartFiles(classPath, Files.exists(CACHE) ? options(CACHE) : List.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isOfTests(Path entry) {
        String name = entry.getFileName().toString();
        return name.equals("test-classes") || name.endsWith("-tests.jar");
    }

    /** Changes whenever a file does. */
    private static String state(List<Path> entries) throws IOException {
        StringBuilder state = new StringBuilder();
        for (Path entry : entries) {
            try (Stream<Path> files = Files.walk(entry)) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    state.append("%s %d %s%n".formatted(file, Files.size(file), Files.getLastModifiedTime(file)));
                }
            }
        }
        return state.toString();
    }

    /** {@code …/telechat-cli/target/classes} becomes {@code telechat-cli.jar}. */
    private static Path jar(Path classes, boolean fresh) throws IOException {
        Path module = classes.getParent().getParent().getFileName();
        Path jar = FOLDER.resolve(module + ".jar");
        if (!fresh) {
            Path part = FOLDER.resolve(module + ".part");
            ToolProvider tool = ToolProvider.findFirst("jar").orElseThrow();
            int code = tool.run(
                    System.out,
                    System.err,
                    "--create",
                    "--no-compress",
                    "--no-manifest",
                    "--file",
                    part.toString(),
                    "-C",
                    classes.toString(),
                    ".");
            if (code != 0) {
                throw new IOException("jar ended with " + code);
            }
            Files.move(part, jar, StandardCopyOption.REPLACE_EXISTING);
        }
        return jar;
    }

    private static void makeCache(List<String> javaOptions, String classPath) throws IOException {
        Path model = Files.createTempDirectory(FOLDER, "model");
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        command.addAll(javaOptions);
        Path part = FOLDER.resolve("telechat.part");
        command.addAll(List.of("-XX:AOTCacheOutput=" + part, "-cp", classPath, WarmUp.class.getName()));
        for (String line : List.of(
                "init --config ../configs/tiny.json --out MODEL --byte-tokenizer",
                "help",
                "chat MODEL --prompt hello --max-new-tokens 4",
                "process-data --data-path ../configs/data.json --tokenizer-path MODEL --data-output-path MODEL/data"
                        + " --max-seq-len 256",
                "train --model-path MODEL --data-path MODEL/data --output-dir MODEL/run --max-steps 1",
                "plan --model-path MODEL")) {
            command.add(Stream.of(line.split(" "))
                    .map(word -> word.replace("MODEL", model.toString()))
                    .collect(Collectors.joining("\n")));
        }
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(FOLDER.resolve("log").toFile())
                .start();
        process.getOutputStream().close();
        try {
            if (process.waitFor(MINUTES, TimeUnit.MINUTES) && process.exitValue() == 0 && Files.exists(part)) {
                Files.move(part, CACHE, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        try (Stream<Path> files = Files.walk(model)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        }
    }

    /** A cache that the JVM cannot use is not worth a word on stderr. */
    private static List<String> options(Path cache) {
        return List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off", "-Xlog:cds=off");
    }
}
