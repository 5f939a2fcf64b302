// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static io.telechat.cli.Program.assertError;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.testing.TinyModels;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code plan} as a user or a script sees it. */
@Tag("slow")
class PlanCommandTest {
    private static final String CONFIG_52B = "plan --config ../configs/telechat-52b.json --flops 1e12 ";

    @TempDir
    static Path directory;

    @BeforeAll
    static void make() throws Exception {
        TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
    }

    private static Program.Result run(String line) throws Exception {
        return Program.run(
                directory,
                new byte[0],
                line.replace("DIR", directory.toString()).strip().split(" +"));
    }

    private static JsonNode json(String line) throws Exception {
        Program.Result result = run(line + " --json");
        assertEquals(0, result.code(), result.err());
        return result.json().getFirst();
    }

    @Test
    void saysThatASmallModelFits() throws Exception {
        Program.Result result = run("plan --model_path DIR/model --max_seq_len 64 --flops 1e12");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().startsWith("36,768 parameters, 36,768 trained\n"), result.out());
        assertTrue(result.out().contains("assuming 60 % of 1,000 GFLOP/s"), result.out());
        assertFalse(result.out().contains("does not fit"), result.out());
    }

    @Test
    void measuresThePeakOfThisMachine() throws Exception {
        JsonNode json = json("plan --model-path DIR/model --max-seq-len 64");
        assertTrue(!json.has("peak_flops") || json.get("peak_flops").asDouble() > 1e8, json.toString());
    }

    @Test
    void saysWhatFitsInTheWordsOfTrain() throws Exception {
        Program.Result result = run("plan --config ../configs/telechat-7b.json --flops 1e12 --memory 24G");
        assertEquals(0, result.code(), result.err());
        String train = "telechat train --model-path DIR --data-path DATA --output-dir RUN";
        assertTrue(
                result.out().contains("  16.6 GiB\n  " + train + " --lora-dim 8 --gradient-checkpointing\n"),
                result.out());
        assertTrue(
                result.out()
                        .contains("  6.8 GiB\n  " + train + " --lora-dim 8 --weights q4 --gradient-checkpointing\n"),
                result.out());
        assertTrue(result.out().contains("each on 16 ranks\n  " + train), result.out());
    }

    @Test
    void endsWithAnErrorWhereNothingFits() throws Exception {
        Program.Result result = run(CONFIG_52B + "--memory 1G");
        assertEquals(4, result.code(), result.err());
        assertTrue(result.out().contains("does not fit, whatever is changed"), result.out());
    }

    @Test
    void sharesOutAmongRanks() throws Exception {
        JsonNode json = json(CONFIG_52B + "--ranks 8 --memory 512G --gradient-checkpointing");
        JsonNode stages = json.get("memory_per_rank");
        assertEquals(4, stages.size());
        assertFalse(stages.get(0).get("fits").asBoolean());
        assertTrue(stages.get(3).get("fits").asBoolean());
        assertEquals(0, json.get("changes").size());
        long parameters = json.get("parameters").asLong();
        assertEquals(4 * parameters, stages.get(0).get("parameters").asLong());
        assertEquals(parameters / 2, stages.get(3).get("parameters").asLong());
        double seconds = json.get("computed_flops_per_step").asDouble() / 8 / 0.6e12;
        assertEquals(seconds, json.get("seconds_per_step").asDouble(), 1e-6);
    }

    @Test
    void meansOfEightBitsTakeAQuarter() throws Exception {
        JsonNode floats = json(CONFIG_52B);
        JsonNode rounded = json(CONFIG_52B + "--optimizer-state 8bit");
        double whole = floats.at("/memory_per_rank/0/optimizer").asDouble();
        assertEquals(8 * floats.get("parameters").asDouble(), whole);
        assertEquals(
                (1 + 4.0 / 256) / 4, rounded.at("/memory_per_rank/0/optimizer").asDouble() / whole, 1e-4);
        assertTrue(rounded.get("checkpoint_bytes").asDouble()
                < floats.get("checkpoint_bytes").asDouble());
    }

    @Test
    void besideAdaptersTheModelStaysAsItIsStored() throws Exception {
        String adapters = " --lora-dim 4 --max-seq-len 64 --flops 1e12";
        JsonNode stored = json("plan --model-path DIR/model" + adapters);
        JsonNode published = json("plan --config DIR/model.json" + adapters);
        JsonNode dropped = json("plan --model-path DIR/model --lora-dropout 0.1" + adapters);
        JsonNode more = json("plan --model-path DIR/model --lora-module-name c_attn,c_fc" + adapters);
        long parameters = stored.get("parameters").asLong();
        long trained = stored.get("trained_parameters").asLong();
        assertEquals(
                4 * (parameters + trained),
                stored.at("/memory_per_rank/0/parameters").asLong());
        assertEquals(
                2 * parameters + 4 * trained,
                published.at("/memory_per_rank/0/parameters").asLong());
        assertEquals(
                4 * 64 * 32,
                dropped.at("/memory_per_rank/0/scratch").asLong()
                        - stored.at("/memory_per_rank/0/scratch").asLong());
        assertEquals(2 * 4 * (32 + 96), more.get("trained_parameters").asLong() - trained);
    }

    @Test
    void trainTellsPlannedAgainstActualMemory() throws Exception {
        Files.writeString(directory.resolve("lines.jsonl"), "{\"input\": \"who?\", \"output\": \"you\"}\n");
        Files.writeString(directory.resolve("mix.json"), "{\"lines.jsonl\": 8.0}");
        assertEquals(
                0,
                run("process-data --data-path DIR/mix.json --tokenizer-path DIR/model"
                                + " --data-output-path DIR/data --max-seq-len 32")
                        .code());
        Program.Result result =
                run("train --model-path DIR/model --data-path DIR/data --output-dir DIR/run --max-steps 1");
        assertEquals(0, result.code(), result.err());
        assertTrue(
                result.err().lines().anyMatch(l -> l.matches("memory: 12\\d\\.\\d MiB planned, .* at most")),
                result.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "plan | 2 | --model-path",
                "plan --config DIR/model.json --model-path DIR/model | 2 | mutually exclusive",
                "plan --config /nowhere.json | 3 | /nowhere.json",
                "plan --model-path /nowhere | 3 | /nowhere",
                "plan --config DIR/model.json --batch 0 | 2 | at least 1",
                "plan --config DIR/model.json --ranks 0 | 2 | at least 1",
                "plan --config DIR/model.json --max-seq-len 0 | 2 | at least 1",
                "plan --config DIR/model.json --lora-dim 0 | 2 | at least 1",
                "plan --config DIR/model.json --lora-dim 2 --lora-dropout 1 | 2 | --lora-dropout 1.0",
                "plan --config DIR/model.json --lora-dim 2 --lora-module-name q_proj | 3 | q_proj",
                "plan --config DIR/model.json --batch 100000 --max-seq-len 100000 | 2 | too many tokens",
                "plan --config DIR/model.json --flops -1 | 2 | above 0",
                "plan --config DIR/model.json --ranks 2 --hostfile DIR/h | 2 | exclude each other",
                "plan --config DIR/model.json --hostfile DIR/nothing | 3 | nothing",
                "plan --config DIR/model.json --ranks 2 --link 0 | 2 | carries nothing",
                "plan --config DIR/model.json --latency -1 | 2 | 0 or more",
                "plan --config DIR/model.json --reached 2 | 2 | --reached",
                "plan --config DIR/model.json --memory much | 2 | 'much' is no size",
                "plan --config DIR/model.json --dtype f8 | 2 | 'f8'",
                "plan --config DIR/model.json --optimizer-state f8 | 2 | 'f8'"
            })
    void oneLineSaysWhatIsWrong(String line, int code, String part) throws Exception {
        assertError(code, part, run(line));
    }

    @ParameterizedTest
    @CsvSource({"q8", "q4"})
    void roundedWeightsTakeWhatAQuantizedCheckpointTakes(String type) throws Exception {
        assertEquals(
                0,
                run("quantize DIR/model --out DIR/%s --to %s".formatted(type, type))
                        .code());
        String options = " --lora-dim 2 --max-seq-len 64 --flops 1e12";
        assertEquals(
                json("plan --model-path DIR/" + type + options),
                json("plan --model-path DIR/model --weights " + type + options));
    }

    @Test
    void roundedWeightsOfAConfigurationAreCountedByTheLayout() throws Exception {
        String line = CONFIG_52B + "--lora-dim 8 --memory 1T ";
        JsonNode stored = json(line);
        JsonNode rounded = json(line + "--weights q4");
        double share = rounded.at("/memory_per_rank/0/parameters").asDouble()
                / stored.at("/memory_per_rank/0/parameters").asDouble();
        assertEquals(4.25 / 16, share, 0.002); // 4 bits and a quarter of one of scales for each, beside bfloat16
    }

    @Test
    void machinesOfAHostfileShareTheWork() throws Exception {
        Files.writeString(directory.resolve("hosts"), "a slots=8\nb slots=8 # two of eight\n");
        String line =
                CONFIG_52B + "--hostfile DIR/hosts --dtype bf16 --memory 100G --gradient-checkpointing --link 100G";
        JsonNode plan = json(line);
        JsonNode cut = plan.at("/memory_per_rank/3");
        assertEquals(
                json(CONFIG_52B + "--ranks 16 --dtype bf16 --memory 100G --gradient-checkpointing")
                        .at("/memory_per_rank/3/total"),
                cut.get("total"));
        assertTrue(
                cut.get("sent_by_host").asDouble() > 2 * cut.get("sent_by_rank").asDouble(), plan.toString());
        assertEquals(
                16 / cut.get("seconds_per_step").asDouble(),
                cut.get("samples_per_second").asDouble(),
                1e-9);
        Program.Result shown = run(line);
        assertTrue(shown.out().contains("samples/s"), shown.out());
        Program.Result noLink = run(line.replace("--link 100G", ""));
        assertTrue(noLink.out().contains("give --link"), noLink.out());
    }

    @Test
    void filesTakeWhatTheOptimizerAloneNeeds() throws Exception {
        JsonNode inMemory =
                json(CONFIG_52B + "--ranks 64 --dtype bf16 --memory 1T").at("/memory_per_rank/3");
        JsonNode inFiles = json(CONFIG_52B + "--ranks 64 --dtype bf16 --memory 1T --offload")
                .at("/memory_per_rank/3");
        assertEquals(0, inFiles.get("optimizer").asLong());
        assertEquals(
                inMemory.get("total").asLong() - inMemory.get("optimizer").asLong(),
                inFiles.get("total").asLong());
    }

    @Test
    void roundedWeightsAreForAdapters() throws Exception {
        assertError(2, "--lora-dim", run("plan --model-path DIR/model --weights q8"));
    }
}
