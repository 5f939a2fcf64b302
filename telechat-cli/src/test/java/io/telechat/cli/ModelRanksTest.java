// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.testing.TinyModels;
import java.io.File;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model in parts, on the command line: by threads, and by ranks that a real {@code mpirun} starts. */
@Tag("slow")
class ModelRanksTest {
    @TempDir
    static Path directory;

    private static Path model;

    @BeforeAll
    static void makeModel() throws Exception {
        model = TinyModels.make(directory, "model", TinyModels.CONFIG_TELECHAT2, 5);
    }

    private static void assumeMpi() {
        assumeTrue(
                Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(p -> Files.isExecutable(Path.of(p, "mpirun"))),
                "needs mpirun");
    }

    private static Program.Result run(String input, String... args) throws Exception {
        return Program.run(directory, input.getBytes(StandardCharsets.UTF_8), args);
    }

    private static Program.Result generate(String... more) throws Exception {
        List<String> args = new ArrayList<>(
                List.of("generate", model.toString(), "-p", "-", "--greedy", "--max-new-tokens", "12", "--json"));
        args.addAll(List.of(more));
        return run("once upon a time", args.toArray(String[]::new));
    }

    private static JsonNode tokens(Program.Result result) throws Exception {
        assertEquals(0, result.code(), result.err());
        return result.json().getFirst().path("tokens");
    }

    @Test
    void threadsGenerateWhatOneModelDoes() throws Exception {
        JsonNode expected = tokens(generate());
        assertEquals(12, expected.size());
        assertEquals(expected, tokens(generate("--tensor-parallel", "2")));
        assertEquals(expected, tokens(generate("--tensor-parallel", "4", "--threads", "2")));
    }

    @Test
    void ranksGenerateWhatOneModelDoes() throws Exception {
        assumeMpi();
        assertEquals(tokens(generate()), tokens(generate("--ranks", "2")));
    }

    @Test
    void aDialogGoesOnByWayOfTheLauncher() throws Exception {
        assumeMpi();
        String lines = "how are you?\n/stats\n\"\"\"\nand\nyou?\n\"\"\"\n";
        String[] args = {"chat", model.toString(), "-i", "--greedy", "--max-new-tokens", "5", "--json"};
        Program.Result one = run(lines, args);
        assertEquals(0, one.code(), one.err());
        String[] onRanks = Arrays.copyOf(args, args.length + 2);
        onRanks[args.length] = "--ranks";
        onRanks[args.length + 1] = "3";
        Program.Result several = run(lines, onRanks);
        assertEquals(0, several.code(), several.err());
        assertEquals(answers(one), answers(several));
        assertEquals(2, answers(one).size());
    }

    private static List<String> answers(Program.Result result) throws Exception {
        return result.json().stream()
                .filter(event -> event.has("text") && event.has("finish_reason"))
                .map(event -> event.path("text").asText())
                .toList();
    }

    @Test
    void aModelThatIsMissingIsSaidOnce() throws Exception {
        assumeMpi();
        Program.assertError(3, "there is no such directory", run("", "generate", "nothing", "-p", "x", "--ranks", "2"));
    }

    @Test
    void aPartThatIsKilledEndsTheDialog() throws Exception {
        assumeMpi();
        Program.Started started = Program.start(directory, "chat", model.toString(), "-i", "--ranks", "2");
        try (OutputStream stdin = started.process().getOutputStream()) {
            stdin.write("hello\n".getBytes(StandardCharsets.UTF_8));
            stdin.flush();
            List<ProcessHandle> ranks = List.of();
            for (int i = 0; i < 600 && (ranks.size() < 2 || Files.size(started.out()) == 0); i++) {
                Thread.sleep(100);
                ranks = started.process()
                        .descendants()
                        .filter(p -> p.info().command().orElse("").endsWith("java"))
                        .toList();
            }
            ranks.getLast().destroyForcibly();
            Program.Result result = started.result();
            assertEquals(5, result.code(), result.err());
            assertTrue(result.err().contains("was killed by signal 9"), result.err());
            for (ProcessHandle rank : ranks) {
                rank.onExit().get(5, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void whatContradictsItselfIsRefused() throws Exception {
        Program.assertError(
                2, "--tensor-parallel is for one process", generate("--ranks", "2", "--tensor-parallel", "2"));
        Program.assertError(2, "--tensor-parallel", generate("--tensor-parallel", "0"));
        Program.assertError(2, "can be cut into 48 parts at most", generate("--tensor-parallel", "49"));
    }
}
