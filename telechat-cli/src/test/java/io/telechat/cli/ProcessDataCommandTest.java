// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static io.telechat.cli.Program.assertError;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.tokenizer.SentencePieceWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code process-data} and {@code inspect-data} as a user or a script sees them. */
@Tag("slow")
class ProcessDataCommandTest {
    @TempDir
    static Path directory;

    @BeforeAll
    static void make() throws Exception {
        Files.createDirectories(directory.resolve("tokenizer"));
        SentencePieceWriter.write(directory.resolve("tokenizer/tokenizer.model"), SentencePieceWriter.byteVocabulary());
        file("lines.jsonl", """
            {"input": "<_user>how?<_bot>so<_user>why?", "output": "because"}
            {"input": "who?", "output": "you"}
            """);
        file("mix.json", "{\"lines.jsonl\": 1.0}");
        file("bad.jsonl", "{\"input\": \"who?\", \"output\": \"you\"}\n{\"input\": \"who?\"}\n");
        file("bad.json", "{\"bad.jsonl\": 1}");
        assertEquals(0, process("made").code());
    }

    private static void file(String name, String text) throws IOException {
        Files.writeString(directory.resolve(name), text);
    }

    /** Runs a command line in which DIR stands for the directory of the test. */
    private static Program.Result run(String line) throws Exception {
        return Program.run(
                directory,
                new byte[0],
                line.replace("DIR", directory.toString()).split(" "));
    }

    private static Program.Result process(String output, String... more) throws Exception {
        return run(
                "process-data --data-path DIR/mix.json --tokenizer-path DIR/tokenizer --data-output-path DIR/%s --max-seq-len 64 %s"
                        .formatted(output, String.join(" ", more))
                        .strip());
    }

    @Test
    void aFileOfDialogsIsTakenAsItIs() throws Exception {
        file("table.csv", "question,answer\nwho?,you\n");
        Program.Result result = run("process-data --data-path DIR/table.csv --tokenizer-path DIR/tokenizer"
                + " --data-output-path DIR/table --max-seq-len 64 --json");
        assertEquals(0, result.code(), result.err());
        JsonNode source = result.json().getFirst().at("/report/sources/0");
        assertEquals("table.csv", source.get("name").asText());
        assertEquals(1, source.get("weight").asDouble());
        assertEquals(1, source.get("dialogs").asInt());
    }

    @Test
    void everyLineThatIsLeftOutIsListed() throws Exception {
        file("mixed.jsonl", """
            {"input": "who?", "output": "you"}
            {"input": "who?"}

            {"input": "why?", "output": "%s"}
            not JSON
            """.formatted("because ".repeat(20)));
        Program.Result result = run("process-data --data-path DIR/mixed.jsonl --tokenizer-path DIR/tokenizer"
                + " --data-output-path DIR/mixed --max-seq-len 64 --rejects DIR/rejects.jsonl");
        assertEquals(0, result.code(), result.err());
        List<String> rejects = new ArrayList<>();
        for (String line : Files.readAllLines(directory.resolve("rejects.jsonl"))) {
            JsonNode reject = new ObjectMapper().readTree(line);
            assertEquals(
                    directory.resolve("mixed.jsonl").toString(),
                    reject.get("file").asText());
            rejects.add(reject.get("line").asInt() + " " + reject.get("reason").asText());
        }
        assertEquals(List.of("2 missing fields", "4 too long", "5 malformed JSON"), rejects);
    }

    @Test
    void theRowsOfACurriculumNameTheirStage() throws Exception {
        file(
                "curriculum.json",
                "{\"stages\": [{\"share\": 0.5, \"data\": {\"lines.jsonl\": 1}},"
                        + " {\"share\": 0.5, \"data\": {\"lines.jsonl\": 2}}]}");
        Program.Result result = run("process-data --data-path DIR/curriculum.json --tokenizer-path DIR/tokenizer"
                + " --data-output-path DIR/curriculum --max-seq-len 64 --num-samples 2");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().contains("\nstage 1: lines.jsonl "), result.out());
        assertTrue(result.out().contains("\nstage 2: lines.jsonl "), result.out());
    }

    @Test
    void allAnswersAreTrainedUnlessTheLastAloneIsAskedFor() throws Exception {
        byte[][] made = new byte[3][];
        String[] options = {"", "--answers all", "--answers last"};
        for (int i = 0; i < options.length; i++) {
            assertEquals(0, process("answers" + i, options[i]).code());
            made[i] = Files.readAllBytes(directory.resolve("answers" + i + "/train_data_0.safetensors"));
        }
        assertArrayEquals(made[1], made[0]);
        assertFalse(Arrays.equals(made[2], made[0]));
    }

    @Test
    void takesTheOptionsOfTheReference() throws Exception {
        Program.Result result = run("process-data --data_path DIR/mix.json --tokenizer_path DIR/tokenizer"
                + " --data_output_path DIR/snake --max_seq_len 64 --num_samples 4 --num_workers 2"
                + " --process_method multiple --seed 7");
        assertEquals(0, result.code(), result.err());
        assertTrue(Files.exists(directory.resolve("snake/train_data_1.safetensors")));
        assertTrue(result.out().contains("4 samples of 64 tokens"), result.out());
    }

    @Test
    void theMethodSingleMakesOneFile() throws Exception {
        assertEquals(
                0,
                process("single", "--num-samples 4", "--num-workers 2", "--process-method single")
                        .code());
        assertFalse(Files.exists(directory.resolve("single/train_data_1.safetensors")));
    }

    @Test
    void printsJsonAndFindsItsOutputUpToDate() throws Exception {
        Program.Result first = process("json", "--json", "--quiet");
        assertEquals(0, first.code(), first.err());
        assertEquals("", first.err());
        JsonNode object = first.json().getFirst();
        assertFalse(object.get("up_to_date").asBoolean());
        assertEquals(2, object.at("/report/sources/0/dialogs").asInt());
        Program.Result second = process("json", "--json", "--quiet");
        assertEquals(0, second.code(), second.err());
        assertTrue(second.json().getFirst().get("up_to_date").asBoolean());
        assertError(2, "--overwrite", process("json", "--seed 1"));
        assertEquals(0, process("json", "--seed 1", "--overwrite").code());
    }

    @Test
    void aBadLineIsToldByItsFileAndNumberOrSkipped() throws Exception {
        String command =
                "process-data --data-path DIR/bad.json --tokenizer-path DIR/tokenizer --data-output-path DIR/bad";
        assertError(3, directory.resolve("bad.jsonl") + ":2: missing fields", run(command));
        assertFalse(Files.exists(directory.resolve("bad")));
        Program.Result skipped = run(command + " --max-errors 1");
        assertEquals(0, skipped.code(), skipped.err());
        assertTrue(skipped.out().contains("dropped 1 lines: missing fields"), skipped.out());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--max-seq-len 5 | 2 | --max-seq-len 5",
                "--num-samples 0 | 2 | at least 1",
                "--num-samples 1 --num-workers 2 | 2 | --num-samples 1 is less than --num-workers 2",
                "--threads 0 | 2 | at least 1",
                "--max-errors -1 | 2 | at least 0",
                "--recipe first-fit | 2 | 'first-fit' is none of [best-fit, reference]",
                "--long-dialogs keep | 2 | 'keep' is none of [drop, truncate-oldest, split]",
                "--memory much | 2 | 'much' is no size",
                "--recipe reference | 3 | --recipe reference is TeleChat-52B's",
                "--data-path /nowhere.json | 3 | /nowhere.json",
                "--tokenizer-path /nowhere | 3 | --tokenizer-path /nowhere",
                "--format arrow | 2 | there is no format 'arrow'",
                "--data-output-path /dev/null | 3 | /dev/null: cannot be written"
            })
    void oneLineSaysWhatIsWrong(String options, int code, String part) throws Exception {
        assertError(code, part, process("unused", options));
        assertFalse(Files.exists(directory.resolve("unused")));
    }

    @Test
    void inspectionCountsAndFindsNoProblem() throws Exception {
        Program.Result text = run("inspect-data DIR/made");
        assertEquals(0, text.code(), text.err());
        assertTrue(text.out().contains("2 dialogs") && text.out().contains("no problems found"), text.out());
        JsonNode json = run("inspect-data DIR/made --json").json().getFirst();
        assertEquals(2, json.get("dialogs").asInt());
        assertEquals(0, json.get("problems").size());
    }

    @Test
    void aSampleShowsWhatIsTrained() throws Exception {
        Program.Result text = run("inspect-data DIR/made --sample 0");
        assertEquals(0, text.code(), text.err());
        assertTrue(text.out().contains("[ because<_end>]") && text.out().contains("[ you<_end>]"), text.out());
        JsonNode json = run("inspect-data DIR/made --sample 0 --json").json().getFirst();
        for (String field : new String[] {"input_ids", "loss_mask", "sequence_ids", "pieces"}) {
            assertEquals(64, json.get(field).size(), field);
        }
        assertEquals(
                64, run("inspect-data DIR/made --sample 0 --ids").out().lines().count());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DIR/made --sample 1 | 2 | --sample 1: there are 1 samples",
                "DIR/made --sample -1 | 2 | --sample -1",
                "DIR/made --tokenizer-path /nowhere | 3 | /nowhere",
                "DIR/tokenizer | 3 | holds no train_data_*.safetensors",
                "/nowhere | 3 | /nowhere: cannot be read"
            })
    void oneLineSaysWhatIsWrongWithAnInspection(String arguments, int code, String part) throws Exception {
        assertError(code, part, run("inspect-data " + arguments));
    }
}
