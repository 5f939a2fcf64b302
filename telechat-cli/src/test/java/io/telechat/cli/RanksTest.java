// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.Message;
import io.telechat.core.comm.launch.RankReporter;
import io.telechat.core.testing.TinyModels;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code train} on several ranks, by a real {@code mpirun}; what befalls one of them ends all. */
@Tag("slow")
class RanksTest {
    @TempDir
    static Path directory;

    @BeforeAll
    static void makeModelAndData() throws Exception {
        assumeTrue(
                Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(p -> Files.isExecutable(Path.of(p, "mpirun"))),
                "needs mpirun");
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 5);
        Files.writeString(directory.resolve("dialogs.jsonl"), dialogs());
        Program.Result made = Program.run(
                directory,
                new byte[0],
                "process-data",
                "--data-path",
                directory.resolve("dialogs.jsonl").toString(),
                "--tokenizer-path",
                model.toString(),
                "--data-output-path",
                directory.resolve("data").toString(),
                "--max-seq-len",
                "64");
        assertEquals(0, made.code(), made.err());
    }

    private static String dialogs() {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            lines.append("{\"input\": \"question %d\", \"output\": \"the answer is %d\"}\n".formatted(i, i * i));
        }
        return lines.toString();
    }

    private static Program.Started train(Path output, String... more) throws IOException {
        return train(List.of(), output, more);
    }

    private static Program.Started train(List<String> javaOptions, Path output, String... more) throws IOException {
        List<String> args = new ArrayList<>(List.of(
                "train",
                "--model-path",
                directory.resolve("model").toString(),
                "--data-path",
                directory.resolve("data").toString(),
                "--output-dir",
                output.toString(),
                "--learning-rate",
                "1e-3",
                "--per-device-train-batch-size",
                "2"));
        args.addAll(List.of(more));
        return Program.start(directory, javaOptions, args.toArray(String[]::new));
    }

    /** The processes of a run, but for the launcher. */
    private static List<ProcessHandle> ranks(Program.Started started) {
        return started.process()
                .descendants()
                .filter(p -> p.info().command().orElse("").endsWith("java"))
                .toList();
    }

    private static void awaitCheckpoint(Program.Started started, Path output) throws Exception {
        for (int i = 0; i < 600 && started.process().isAlive(); i++) {
            if (Files.isDirectory(output)) {
                try (Stream<Path> files = Files.list(output)) {
                    if (files.anyMatch(f -> f.getFileName().toString().startsWith("checkpoint-"))) {
                        return;
                    }
                }
            }
            Thread.sleep(100);
        }
        throw new AssertionError("no checkpoint came: " + Files.readString(started.err()));
    }

    /** Until some steps are done, of which the other rank, too, has told. */
    private static void awaitSteps(Program.Started started, Path output) throws Exception {
        awaitCheckpoint(started, output);
        Thread.sleep(2 * RankReporter.BEAT_MILLIS);
    }

    private static long newest(Path output) throws IOException {
        try (Stream<Path> files = Files.list(output)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(name -> name.matches("checkpoint-\\d+"))
                    .mapToLong(name -> Long.parseLong(name.substring("checkpoint-".length())))
                    .max()
                    .orElseThrow();
        }
    }

    @Test
    void trainsLikeOneProcessAndGoesOn() throws Exception {
        Path one = directory.resolve("one");
        Path several = directory.resolve("several");
        Program.Result expected = train(one, "--max-steps", "4").result();
        assertEquals(0, expected.code(), expected.err());
        Program.Result first = train(
                        several, "--max-steps", "2", "--schedule-steps", "10", "--ranks", "2", "--zero-stage", "3")
                .result();
        assertEquals(0, first.code(), first.err());
        assertTrue(first.err().contains("saved"), first.err());
        assertTrue(Files.isRegularFile(several.resolve("logs/rank-1.log")));
        Program.Result second = train(
                        several, "--max-steps", "4", "--schedule-steps", "10", "--simulate-ranks", "3", "--resume")
                .result();
        assertEquals(0, second.code(), second.err());
        assertTrue(Files.isDirectory(several.resolve("checkpoint-4")));
    }

    @Test
    void aKilledRankEndsTheRunWithOneMessage() throws Exception {
        Path output = directory.resolve("killed");
        Program.Started started =
                train(output, "--max-steps", "100000", "--save-steps", "1", "--ranks", "2", "--zero-stage", "3");
        awaitSteps(started, output);
        List<ProcessHandle> ranks = ranks(started);
        ranks.getLast().destroyForcibly();
        Program.Result result = started.result();
        assertEquals(5, result.code(), result.err());
        assertTrue(result.err().contains("was killed by signal 9, at step"), result.err());
        assertEquals(
                1, result.err().lines().filter(l -> l.startsWith("telechat: ")).count(), result.err());
        for (ProcessHandle rank : ranks) {
            rank.onExit().get(5, TimeUnit.SECONDS);
        }
        String next = String.valueOf(newest(output) + 1);
        Program.Result resumed = train(output, "--resume", "--max-steps", next, "--schedule-steps", "100000")
                .result();
        assertEquals(0, resumed.code(), resumed.err());
        assertTrue(Files.isDirectory(output.resolve("checkpoint-" + next)));
    }

    @Test
    void aRankThatHangsEndsTheRun() throws Exception {
        Path output = directory.resolve("hangs");
        Program.Started started = train(
                List.of("-Dtelechat.rank.silence=5"),
                output,
                "--max-steps",
                "100000",
                "--save-steps",
                "1",
                "--ranks",
                "2",
                "--zero-stage",
                "3");
        awaitSteps(started, output);
        List<ProcessHandle> ranks = ranks(started);
        new ProcessBuilder("kill", "-STOP", String.valueOf(ranks.getLast().pid()))
                .start()
                .waitFor();
        Program.Result result = started.result();
        assertEquals(5, result.code(), result.err());
        assertTrue(result.err().contains("has not been heard of for 5 s, at step"), result.err());
        for (ProcessHandle rank : ranks) {
            rank.onExit().get(5, TimeUnit.SECONDS);
        }
    }

    @Test
    void aTerminationSavesAndEnds() throws Exception {
        Path output = directory.resolve("terminated");
        Program.Started started =
                train(output, "--max-steps", "100000", "--save-steps", "1", "--ranks", "2", "--zero-stage", "2");
        awaitCheckpoint(started, output);
        started.process().destroy();
        Program.Result result = started.result();
        assertEquals(143, result.code(), result.err());
        assertTrue(result.err().contains("go on with --resume"), result.err());
    }

    @Test
    void whatARankFailsOfIsSaid() throws Exception {
        Program.Result result = train(directory.resolve("failed"), "--ranks", "2", "--learning-rate", "1e30")
                .result();
        assertEquals(3, result.code(), result.err());
        assertTrue(result.err().contains("lower --learning-rate"), result.err());
        assertTrue(result.err().contains("(rank "), result.err());
        Path blocked = Files.createFile(directory.resolve("blocked"));
        Program.Result unwritable = train(blocked, "--ranks", "2").result();
        assertEquals(3, unwritable.code(), unwritable.err());
    }

    @Test
    void hostsAreChecked() throws Exception {
        Path hosts = Files.writeString(directory.resolve("checked"), "localhost slots=2\nnowhere.invalid slots=2\n");
        Program.Result result = train(directory.resolve("check"), "--hostfile", hosts.toString(), "--check-hosts")
                .result();
        assertEquals(5, result.code(), result.err());
        assertEquals("localhost: ok\nnowhere.invalid: its name cannot be resolved\n", result.out());
        assertFalse(Files.exists(directory.resolve("check")));
    }

    @Test
    void aHostThatDiffersIsTold() {
        ObjectNode here = HostReportCommand.report(directory.resolve("model"), directory.resolve("data"));
        ObjectNode there = here.deepCopy()
                .put("java", "21")
                .put("data", "0")
                .put("memory", 1L << 30)
                .put("time", here.path("time").asLong() - 3_600_000);
        assertEquals(List.of(), HostCheck.compare(here, here));
        List<String> problems =
                HostCheck.compare(here, there).stream().map(Message::toString).toList();
        assertEquals(4, problems.size(), problems.toString());
        assertTrue(problems.getFirst().startsWith("has java 21, this machine has 25"), problems.toString());
        assertEquals("has another data than this machine", problems.get(1));
        assertEquals("its clock is 3600 s from this machine's", problems.getLast());
    }

    @Test
    void aDryRunPrintsTheArguments() throws Exception {
        Path hosts = Files.writeString(directory.resolve("hosts"), "node1 slots=2\nnode2 slots=2\n");
        Program.Result result = train(
                        directory.resolve("dry"), "--hostfile", hosts.toString(), "--include", "node2:1", "--dry-run")
                .result();
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().contains("mpirun\n-n\n1\n"), result.out());
        assertTrue(result.out().contains("--hostfile\n"), result.out());
        assertFalse(Files.exists(directory.resolve("dry")));
    }
}
