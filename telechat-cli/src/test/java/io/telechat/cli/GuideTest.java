// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The pages of {@code docs/} tell the truth: their commands are run, one page after the other, in a folder where small models stand
 * for real ones.
 *
 * <p>A command is a line of a {@code console} block that begins with {@code $}; a backslash takes it on to the next line. What the
 * block shows below it is what it prints, {@code …} standing for anything; a command without output shown may print what it likes. A
 * block after a line that ends with a file's name in backquotes and a colon is that file.
 */
@Tag("slow")
class GuideTest {
    private static final Path DOCS = Path.of("../docs");
    private static final Pattern BLOCK =
            Pattern.compile("(?:`([\\w./-]+)`:\\s*\\n+)?```(\\w*)\\n(.*?)```", Pattern.DOTALL);
    private static final int MINUTES = 5;

    @TempDir
    private Path folder;

    /** One of a page. */
    private record Command(String line, List<String> shown) {}

    /** Those that have something to run. */
    static List<String> pages() throws IOException {
        List<String> pages = new ArrayList<>();
        try (Stream<Path> files = Files.list(DOCS)) {
            for (Path file : files.sorted().toList()) {
                if (file.toString().endsWith(".md") && Files.readString(file).contains("```console")) {
                    pages.add(file.getFileName().toString());
                }
            }
        }
        return pages;
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyCommandDoesWhatThePageShows(String page) throws Exception {
        List<Command> commands = prepare(Files.readString(DOCS.resolve(page)));
        makeTelechat();
        makeModels();
        Path results = Files.createDirectory(folder.resolve(".results"));
        Path script = Files.writeString(folder.resolve(".script"), script(commands));
        ProcessBuilder bash = new ProcessBuilder("bash", script.getFileName().toString())
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(results.resolve("all").toFile());
        bash.environment().put("LC_ALL", "C.UTF-8");
        bash.environment().put("PATH", folder + ":" + System.getenv("PATH"));
        bash.environment().put("XDG_STATE_HOME", folder.resolve(".state").toString());
        Process process = bash.start();
        process.getOutputStream().close();
        if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
        }
        for (int i = 0; i < commands.size(); i++) {
            check(commands.get(i), results, i);
        }
    }

    private static void check(Command command, Path results, int number) throws IOException {
        Path out = results.resolve(number + ".out");
        assertTrue(Files.exists(results.resolve(number + ".rc")), () -> command.line() + " was not run to its end");
        String printed =
                Files.readString(out).replaceAll("(?m)^WARNING: .*\\n", "").strip();
        assertEquals("0", Files.readString(results.resolve(number + ".rc")).strip(), command.line() + "\n" + printed);
        if (!command.shown().isEmpty()) {
            String pattern = command.shown().stream()
                    .map(line -> line.strip().equals("…")
                            ? "(?s:.*)"
                            : Pattern.quote(line.strip()).replace("…", "\\E.*\\Q"))
                    .collect(Collectors.joining("\\s*\\n\\s*"));
            assertTrue(
                    Pattern.compile("\\s*" + pattern.replace("\\s*\\n\\s*(?s:.*)", "(?s:.*)") + "\\s*")
                            .matcher(printed)
                            .matches(),
                    () -> "$ " + command.line() + "\nis said to print\n" + String.join("\n", command.shown())
                            + "\nand prints\n" + printed);
        }
    }

    /** Takes the commands out of a page, and writes its files. */
    private List<Command> prepare(String page) throws IOException {
        List<Command> commands = new ArrayList<>();
        Matcher block = BLOCK.matcher(page);
        while (block.find()) {
            if (block.group(2).equals("console")) {
                commands.addAll(commands(block.group(3)));
            } else if (block.group(1) != null) {
                Path file = folder.resolve(block.group(1));
                assertTrue(file.normalize().startsWith(folder), () -> file + " is elsewhere");
                Files.createDirectories(file.getParent());
                Files.writeString(file, block.group(3));
            }
        }
        return commands;
    }

    private static List<Command> commands(String block) {
        List<Command> commands = new ArrayList<>();
        List<String> lines = block.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            assertTrue(lines.get(i).startsWith("$ "), () -> "a console block begins with a command:\n" + block);
            StringBuilder line = new StringBuilder(lines.get(i).substring(2));
            while (line.toString().endsWith("\\") && i + 1 < lines.size()) {
                line.append('\n').append(lines.get(++i));
            }
            List<String> shown = new ArrayList<>();
            while (i + 1 < lines.size() && !lines.get(i + 1).startsWith("$ ")) {
                shown.add(lines.get(++i));
            }
            commands.add(new Command(line.toString(), shown));
        }
        return commands;
    }

    /** One shell for all, so that variables, folders and jobs stay; ended at the first that fails. */
    private static String script(List<Command> commands) {
        StringBuilder script = new StringBuilder("trap 'kill $(jobs -p) 2> /dev/null' EXIT\nhome=$PWD\n");
        for (int i = 0; i < commands.size(); i++) {
            script.append("{ %s\n} > \"$home/.results/%d.out\" 2>&1\ncode=$?; echo $code > \"$home/.results/%d.rc\"\n"
                    .formatted(commands.get(i).line(), i, i));
            script.append("[ $code = 0 ] || exit\n");
        }
        return script.toString();
    }

    /** Here and on the path. */
    private void makeTelechat() throws IOException {
        String quoted = Program.command().stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
        Path telechat = Files.writeString(folder.resolve("telechat"), "#!/bin/sh\nexec " + quoted + " \"$@\"\n");
        Files.setPosixFilePermissions(telechat, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void makeModels() throws IOException {
        TinyModels.makeWithTools(folder, "TeleChat2-3B", 1);
        TinyModels.make(folder, "TeleChat-12B", TinyModels.CONFIG_12B, 2);
        TinyModels.make(folder, "TeleChat-52B", TinyModels.CONFIG_52B, 3);
        for (String name : List.of("datas", "configs")) {
            Path copy = Files.createDirectory(folder.resolve(name));
            try (Stream<Path> files = Files.list(Path.of("..", name))) {
                for (Path file : files.toList()) {
                    Files.copy(file, copy.resolve(file.getFileName()));
                }
            }
        }
    }
}
