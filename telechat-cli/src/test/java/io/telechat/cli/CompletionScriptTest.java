// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The scripts in the shells that they are for. */
class CompletionScriptTest {
    @TempDir
    private Path directory;

    private static CompletionScript script() {
        return new CompletionScript(Commands.all().setCaseInsensitiveEnumValuesAllowed(true));
    }

    private List<String> run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), out);
        return Arrays.stream(out.strip().split("\\s+"))
                .filter(w -> !w.isEmpty())
                .sorted()
                .toList();
    }

    private static boolean has(String shell) {
        return Arrays.stream(System.getenv("PATH").split(":")).anyMatch(p -> Files.isExecutable(Path.of(p, shell)));
    }

    @ParameterizedTest
    @CsvSource({
        "tokeni, tokenize",
        "host, ''",
        "train --dtype '', bf16 f32",
        "train --optimizer-state '', 8bit f32",
        "chat --kv-cache '', bf16 f16 f32 q8",
        "quantize --to '', q4 q8",
        "process-data --answers '', all last",
        "process-data --recipe '', best-fit reference",
        "train --lora-d, --lora-dim --lora-dropout",
        "train --seed '', ''",
        "train --model-path '', models",
        "chat '', models",
        "completion '', bash fish zsh"
    })
    void bashOffersWhatIsAccepted(String words, String offered) throws Exception {
        assumeTrue(has("bash"), "needs bash");
        Files.createDirectories(directory.resolve("models"));
        Files.createDirectories(directory.resolve("home"));
        Path file = Files.writeString(directory.resolve("home/script"), script().bash());
        Files.delete(Files.createFile(directory.resolve("notes.txt")));
        List<String> found = run(
                "bash",
                "-c",
                "source " + file + "; cd " + directory + "; COMP_WORDS=(telechat " + words
                        + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _telechat; printf '%s\\n' \"${COMPREPLY[@]}\"");
        assertEquals(
                Arrays.stream(offered.split(" ")).filter(w -> !w.isEmpty()).toList(),
                found.stream().filter(w -> !w.equals("home")).toList());
    }

    @Test
    void fishOffersWhatIsAccepted() throws Exception {
        String fish = script().fish();
        assertTrue(fish.contains("__fish_seen_subcommand_from train' -l optimizer-state -x -a 'f32 8bit'"), fish);
        assumeTrue(has("fish"), "needs fish");
        Path file = Files.writeString(directory.resolve("telechat.fish"), fish);
        assertEquals(
                List.of("bf16", "f32"),
                run("fish", "-c", "source " + file + "; complete -C 'telechat train --dtype ' | cut -f1"));
    }
}
