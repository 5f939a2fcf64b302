// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static io.telechat.cli.Program.assertError;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.testing.TinyModels;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code train} as a user, a script, a Ctrl-C and a power cut see it. */
@Tag("slow")
class TrainCommandTest {
    private static final String LONG = "--max-steps 80 --save-steps 2 --learning-rate 1e-3 --quiet";

    @TempDir
    static Path directory;

    @BeforeAll
    static void make() throws Exception {
        TinyModels.make(directory, "model", TinyModels.CONFIG_12B, 1);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            lines.append("{\"input\": \"what is %d?\", \"output\": \"it is %d\"}\n".formatted(i, i));
        }
        Files.writeString(directory.resolve("lines.jsonl"), lines);
        Files.writeString(directory.resolve("mix.json"), "{\"lines.jsonl\": 1.0}");
        Program.Result made = run("process-data --data-path DIR/mix.json --tokenizer-path DIR/model"
                + " --data-output-path DIR/data --max-seq-len 64");
        assertEquals(0, made.code(), made.err());
        assertEquals(0, run(train("straight", LONG)).code());
    }

    private static String[] words(String line) {
        return line.replace("DIR", directory.toString()).split(" ");
    }

    private static Program.Result run(String line) throws Exception {
        return Program.run(directory, new byte[0], words(line));
    }

    private static String train(String output, String more) {
        return "train --model-path DIR/model --data-path DIR/data --output-dir DIR/%s --threads 2 %s"
                .formatted(output, more)
                .strip();
    }

    private static List<JsonNode> metrics(String output) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(directory.resolve(output).resolve("metrics.jsonl"))) {
            lines.add(JsonFiles.parse("metrics", line));
        }
        return lines;
    }

    private static void assertSameRun(String other) throws IOException {
        for (String file : List.of("model.safetensors", "optimizer.safetensors", "run_state.json")) {
            String name = "checkpoint-80/" + file;
            assertArrayEquals(
                    Files.readAllBytes(directory.resolve("straight").resolve(name)),
                    Files.readAllBytes(directory.resolve(other).resolve(name)),
                    name);
        }
        List<JsonNode> expected = metrics("straight");
        List<JsonNode> found = metrics(other);
        assertEquals(80, expected.size());
        assertEquals(80, found.size());
        for (int i = 0; i < 80; i++) {
            for (String field : List.of("step", "loss", "lr", "grad_norm")) {
                assertEquals(expected.get(i).get(field), found.get(i).get(field), field + " of line " + i);
            }
        }
    }

    @Test
    void takesTheOptionsOfTheReference() throws Exception {
        Program.Result result = run("train --model_path DIR/model --data_path DIR/data --output_dir DIR/snake"
                + " --per_device_train_batch_size 2 --gradient_accumulation_steps 2 --learning_rate 1e-2"
                + " --weight_decay 0.1 --lr_scheduler_type linear --warmup_proportion 0.2 --num_train_epochs 4"
                + " --with_loss_mask --gradient_checkpointing --seed 7 --recipe reference");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.err().contains("done"), result.err());
        List<JsonNode> metrics = metrics("snake");
        assertTrue(metrics.getLast().get("loss").asDouble()
                < metrics.getFirst().get("loss").asDouble());
    }

    @Test
    void theResultCanTalk() throws Exception {
        assertEquals(0, run(train("talks", "--max-steps 1 --quiet")).code());
        Program.Result chat = run("chat DIR/talks/checkpoint-1 -p hello --max-new-tokens 2 --quiet");
        assertEquals(0, chat.code(), chat.err());
    }

    @Test
    void soCanAdaptersWhoseModelIsFound() throws Exception {
        assertEquals(
                0, run(train("adapts", "--max-steps 1 --lora-dim 2 --quiet")).code());
        Program.Result chat = run("chat DIR/adapts/checkpoint-1 -p hello --max-new-tokens 2 --quiet");
        assertEquals(0, chat.code(), chat.err());
        Path config = directory.resolve("adapts/checkpoint-1/adapter_config.json");
        Files.writeString(
                config, Files.readString(config).replaceAll("(base_model_name_or_path\" : \")[^\"]*", "$1nowhere"));
        assertError(3, "--adapter " + directory, run("chat DIR/adapts/checkpoint-1 -p hello"));
    }

    @Test
    void dropoutIsOfTheRunAndOfTheAdapter() throws Exception {
        String options = "--config ../configs/finetune-lora.yaml --max-steps 2 --lora-dropout 0.25 --quiet";
        Program.Result result = run(train("dropout", options));
        assertEquals(0, result.code(), result.err());
        Path output = directory.resolve("dropout");
        String config = Files.readString(output.resolve("config.yaml"));
        assertTrue(config.contains("lora-dropout: 0.25"), config);
        String adapter = Files.readString(output.resolve("checkpoint-2/adapter_config.json"));
        assertTrue(adapter.contains("\"lora_dropout\" : 0.25"), adapter);
        Program.Result again = run("train --config DIR/dropout/config.yaml --output-dir DIR/dropout-again");
        assertEquals(0, again.code(), again.err());
        assertArrayEquals(
                Files.readAllBytes(output.resolve("checkpoint-2/adapter_model.safetensors")),
                Files.readAllBytes(directory.resolve("dropout-again/checkpoint-2/adapter_model.safetensors")));
    }

    @Test
    void whatChangesNothingIsSaid() throws Exception {
        String options = "--max-steps 1 --lora-dim 2 --zero-stage 2";
        Program.Result result = run(train("vain", options));
        assertEquals(0, result.code(), result.err());
        assertEquals(
                1,
                result.err()
                        .lines()
                        .filter(line -> line.startsWith("--zero-stage 2 changes nothing: "))
                        .count(),
                result.err());
        Program.Result quiet = run(train("vain-quiet", options + " --quiet"));
        assertEquals(0, quiet.code(), quiet.err());
        assertEquals("", quiet.err());
    }

    @Test
    void whatTheOptimizerAloneNeedsMayLieInFiles() throws Exception {
        for (String options : List.of("--offload", "--offload --offload-dir DIR/elsewhere")) {
            Program.Result result = run(train("offload" + options.length(), "--max-steps 2 --dtype bf16 " + options)
                    .replace("DIR", directory.toString()));
            assertEquals(0, result.code(), result.err());
        }
        assertTrue(Files.isDirectory(directory.resolve("elsewhere")));
        assertError(2, "--offload-dir is for --offload", run(train("offload", "--offload-dir x")));
    }

    @Test
    void printsTheStepsAsJson() throws Exception {
        Program.Result result = run(train("json", "--max-steps 3 --eval-split 0.2 --eval-steps 3 --json --quiet"));
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        assertEquals(metrics("json"), result.json());
        assertEquals(3, result.json().get(2).get("step").asInt());
        assertTrue(result.json().get(3).has("eval_loss"));
    }

    @Test
    void aSecondRunIsNotPutOverTheFirst() throws Exception {
        Program.Result fresh = run(train("second", "--max-steps 2 --resume"));
        assertEquals(0, fresh.code(), fresh.err());
        assertTrue(fresh.err().contains("second holds no checkpoint: starting at the beginning"), fresh.err());
        assertError(3, "go on with --resume", run(train("second", "--max-steps 2")));
        assertError(3, "was trained with other options", run(train("second", "--max-steps 2 --seed 1 --resume")));
        Program.Result again = run(train("second", "--max-steps 2 --resume"));
        assertEquals(0, again.code(), again.err());
        assertEquals(2, metrics("second").size());
    }

    /** Every file below a directory, with its bytes as text. */
    private static Map<String, String> contents(Path root) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(root.relativize(file).toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return contents;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--learning-rate 1e-2 | was trained with other options",
                "--data-path DIR/other-data | was trained with other samples",
                "--lora-dim 2 | was trained with other options",
                "--dtype bf16 | Then: dtype=default, rounding=default. Now: dtype=bf16, rounding=nearest",
                "--optimizer-state 8bit | Then: optimizer_state=default. Now: optimizer_state=8bit",
                "--backend gpu | gpu"
            })
    void aRefusedResumeChangesNothing(String options, String part) throws Exception {
        Path output = directory.resolve("refused");
        if (Files.notExists(output)) {
            assertEquals(0, run(train("refused", "--max-steps 1 --quiet")).code());
            Program.Result made = run("process-data --data-path DIR/mix.json --tokenizer-path DIR/model"
                    + " --data-output-path DIR/other-data --max-seq-len 64 --seed 1");
            assertEquals(0, made.code(), made.err());
        }
        Map<String, String> before = contents(output);
        Program.Result refused = run(train("refused", "--max-steps 1 --resume --quiet " + options));
        assertTrue(refused.code() != 0 && refused.err().contains(part), refused.err());
        assertEquals(before, contents(output));
    }

    @Test
    void aRefusedRunLeavesNoDirectory() throws Exception {
        assertError(3, "q_proj", run(train("fresh", "--lora-dim 2 --lora-module-name q_proj")));
        assertFalse(Files.exists(directory.resolve("fresh")));
    }

    @Test
    void theOptimizersMeansMayHaveEightBits() throws Exception {
        String eightBit = train("eight", "--max-steps 2 --optimizer-state 8bit --quiet");
        assertEquals(0, run(eightBit).code());
        Path config = directory.resolve("eight/config.yaml");
        assertTrue(Files.readString(config).contains("optimizer-state: \"8bit\"\n"), Files.readString(config));
        long floats = Files.size(directory.resolve("straight/checkpoint-80/optimizer.safetensors"));
        assertTrue(Files.size(directory.resolve("eight/checkpoint-2/optimizer.safetensors")) < floats);
        Program.Result again = run("train --config DIR/eight/config.yaml --resume");
        assertEquals(0, again.code(), again.err());
        assertError(3, "state=8bit", run(train("eight", "--max-steps 2 --optimizer-state f32 --resume --quiet")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--recipe mine | 2 | 'mine'",
                "--optimizer-state 4bit | 2 | '4bit': choose f32 or 8bit",
                "--packed-attention some | 2 | --packed-attention: choose isolated or reference",
                "--data-order random | 2 | --data-order: choose shuffled or sequential",
                "--lr-scheduler-type step | 2 | unknown schedule 'step'",
                "--per-device-train-batch-size 0 | 2 | at least 1",
                "--gradient-accumulation-steps 0 | 2 | at least 1",
                "--save-total-limit 0 | 2 | at least 1",
                "--threads 0 | 2 | at least 1",
                "--zero-stage 4 | 2 | --zero-stage 4: must be from 0 to 3",
                "--dtype f8 --lora-dim 2 | 2 | choose f32 or bf16",
                "--max-steps 0 | 2 | at least 1",
                "--lora-dim 2 --lora-dropout 1 | 2 | --lora-dropout 1.0: must be from 0 to below 1",
                "--adapter DIR/model --lora-dropout 0.1 | 2 | model has its own",
                "--max-steps -3 | 2 | at least 1",
                "--num-train-epochs 0 | 2 | --num-train-epochs",
                "--learning-rate -1 | 2 | --learning-rate",
                "--learning-rate NaN | 2 | --learning-rate",
                "--max-grad-norm 0 | 2 | --max-grad-norm",
                "--weight-decay -1 | 2 | --weight-decay",
                "--warmup-proportion 2 | 2 | --warmup-proportion",
                "--save-steps -1 | 2 | --save-steps",
                "--eval-steps 0 | 2 | --eval-steps",
                "--early-stop 0 | 2 | --early-stop",
                "--early-stop 2 | 2 | --eval-split",
                "--eval-split 1 | 2 | must be from 0 to below 1",
                "--backend gpu | 2 | gpu",
                "--per-device-train-batch-size 1000 | 3 | less than one micro-batch of 1,000",
                "--model-path /nowhere | 3 | /nowhere: there is no such directory",
                "--data-path /nowhere | 3 | /nowhere: cannot be read",
                "--output-dir /dev/null | 3 | /dev/null: cannot be written"
            })
    void oneLineSaysWhatIsWrong(String options, int code, String part) throws Exception {
        assertError(code, part, run(train("unused", options)));
        assertFalse(Files.exists(directory.resolve("unused/checkpoint-1")));
    }

    /** Before the run's directory is made, the machine measured and the model loaded, which takes a while. */
    @Test
    void badDataAreFoundFirst() throws Exception {
        assertError(3, "less than one micro-batch", run(train("early", "--per-device-train-batch-size 1000")));
        assertFalse(Files.exists(directory.resolve("early")), "the data were looked at too late");
    }

    /** Processes that a script starts in the background inherit that, and Java leaves it so. */
    private static boolean interruptsAreIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (Files.notExists(status)) {
            return false;
        }
        String ignored = Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElseThrow();
        return new BigInteger(ignored.split("\\s+")[1], 16).testBit(1);
    }

    @Test
    void ctrlCFinishesTheStepAndSaves() throws Exception {
        assumeFalse(interruptsAreIgnored(), "SIGINT is ignored here, as in the background of a script");
        Program.Started started = Program.start(directory, words(train("int", LONG)));
        awaitCheckpoint(started, "int");
        assertEquals(
                0,
                new ProcessBuilder(
                                "kill", "-INT", Long.toString(started.process().pid()))
                        .start()
                        .waitFor());
        Program.Result result = started.result();
        assertEquals(ExitCode.INTERRUPTED, result.code(), result.err());
        assertTrue(result.err().contains("finishing this step, then saving"), result.err());
        assertFalse(Files.exists(directory.resolve("int/checkpoint-80")), "it was over before the signal");
        assertEquals(0, run(train("int", LONG + " --resume")).code());
        assertSameRun("int");
    }

    /** As a batch system, systemd or Docker stops a run. */
    @Test
    void sigtermSavesToo() throws Exception {
        Program.Started started = Program.start(directory, words(train("term", LONG)));
        awaitCheckpoint(started, "term");
        started.process().destroy();
        Program.Result result = started.result();
        assertEquals(143, result.code(), result.err());
        assertFalse(Files.exists(directory.resolve("term/checkpoint-80")), "it was over before the signal");
        assertEquals(0, run(train("term", LONG + " --resume")).code());
        assertSameRun("term");
    }

    @Test
    void goesOnToTheSameBitsWhenItIsKilledAtAnyMoment() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int kills = 0;
        Program.Result result = null;
        while (result == null) {
            Program.Started started = Program.start(directory, words(train("kill", LONG + " --resume")));
            if (kills < 3) {
                awaitCheckpoint(started, "kill");
                Thread.sleep(random.nextInt(150));
                started.process().destroyForcibly().waitFor();
                kills++;
            } else {
                result = started.result();
            }
        }
        assertEquals(0, result.code(), "seed %d: %s".formatted(seed, result.err()));
        assertSameRun("kill");
    }

    /** Until the run has saved once more. */
    private static void awaitCheckpoint(Program.Started started, String output) throws Exception {
        List<String> before = checkpoints(output);
        while (started.process().isAlive() && checkpoints(output).equals(before)) {
            Thread.sleep(5);
        }
    }

    private static List<String> checkpoints(String output) throws IOException {
        if (!Files.isDirectory(directory.resolve(output))) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory.resolve(output))) {
            return files.map(f -> f.getFileName().toString())
                    .filter(name -> name.startsWith("checkpoint-"))
                    .sorted()
                    .toList();
        }
    }
}
