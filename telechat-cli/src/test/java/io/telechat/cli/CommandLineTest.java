// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static io.telechat.cli.Program.assertError;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.chat.TinyTokenizers;
import io.telechat.core.testing.TinyModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The program as a process of its own: output, errors and exit codes as a user or a script sees them. */
@Tag("slow")
class CommandLineTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    static Path directory;

    private static Path model;
    private static Path telechat2;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModels.make(directory, "model", TinyModels.CONFIG_12B, 2);
        telechat2 = TinyModels.make(directory, "telechat2", TinyModels.CONFIG_TELECHAT2, 3);
    }

    private static Program.Result run(byte[] input, String... args) throws Exception {
        return Program.run(directory, input, args);
    }

    private static Program.Result run(String... args) throws Exception {
        return Program.run(directory, new byte[0], args);
    }

    @Test
    void generatesTextAndJson() throws Exception {
        Program.Result text = run("generate", model.toString(), "--prompt", "hi", "--max-new-tokens", "5", "--greedy");
        assertEquals(0, text.code(), text.err());
        Program.Result json = run(
                "generate",
                model.toString(),
                "--prompt",
                "hi",
                "--max_new_tokens=5",
                "--greedy",
                "--json",
                "--logprobs",
                "1");
        JsonNode object = json.json().getFirst();
        assertEquals(5, object.get("tokens").size());
        assertEquals(text.out(), object.get("text").asText() + "\n");
        assertEquals("length", object.get("finish_reason").asText());
        assertEquals(3, object.get("usage").get("prompt_tokens").asInt());
        assertEquals(5, object.get("logprobs").size());
        assertTrue(object.get("timings").has("tokens_per_second"));
        Program.Result tokens = run(
                "generate", model.toString(), "--tokens", "263,111,112", "--max-new-tokens", "5", "--greedy", "--json");
        assertEquals(object.get("tokens"), tokens.json().getFirst().get("tokens"));
    }

    @Test
    void chatsOnceFromAnOptionOrStdin() throws Exception {
        String[] options = {"--max-new-tokens", "4", "--greedy"};
        Program.Result option = run(concat(options, "chat", model.toString(), "-p", "hello"));
        Program.Result stdin =
                run("hello\n".getBytes(StandardCharsets.UTF_8), concat(options, "chat", model.toString()));
        assertEquals(0, option.code(), option.err());
        assertEquals(option.out(), stdin.out());
        assertEquals("", option.err());
    }

    private static String[] concat(String[] options, String... command) {
        List<String> all = new ArrayList<>(Arrays.asList(command));
        all.addAll(Arrays.asList(options));
        return all.toArray(String[]::new);
    }

    @Test
    void chatKeepsAHistoryAndPrintsEvents() throws Exception {
        Path history = directory.resolve("history.json");
        for (int turn = 1; turn <= 2; turn++) {
            Program.Result result = run(
                    "chat",
                    model.toString(),
                    "-p",
                    "turn " + turn,
                    "--history",
                    history.toString(),
                    "--json",
                    "--max-new-tokens",
                    "3");
            assertEquals(0, result.code(), result.err());
            assertEquals("token", result.json().getFirst().get("event").asText());
            assertEquals("done", result.json().getLast().get("event").asText());
        }
        JsonNode saved = MAPPER.readTree(history.toFile());
        assertEquals(4, saved.size());
        assertEquals("turn 2", saved.get(2).get("content").asText());
        assertEquals("assistant", saved.get(3).get("role").asText());
    }

    @Test
    void theDialogUnderstandsCommandsInAPipe() throws Exception {
        Path file = directory.resolve("talk.json");
        String input = """
            /set max-new-tokens 3
            /set nonsense 3
            hello

            \"""
            two
            lines
            \"""
            /regen
            /stats
            /save %s
            /clear
            /load %s
            /show
            /nonsense
            /exit
            never read
            """.formatted(file, file);
        Program.Result result = run(input.getBytes(StandardCharsets.UTF_8), "chat", model.toString(), "-i", "--greedy");
        assertEquals(0, result.code(), result.err());
        JsonNode saved = MAPPER.readTree(file.toFile());
        assertEquals(4, saved.size());
        assertEquals("two\nlines", saved.get(2).get("content").asText());
        assertTrue(result.out().contains("[user] two\nlines"), result.out());
        assertTrue(result.out().contains("3 tokens at"), result.out());
        assertTrue(
                result.err().contains("no option 'nonsense'") && result.err().contains("unknown command /nonsense"),
                result.err());
        assertFalse(result.out().contains("never read"));
    }

    @Test
    void aDialogGoesOnWhenTheContextIsFull() throws Exception {
        String input = "one question that is long enough\n".repeat(8) + "/set context-overflow error\n"
                + "one more\n".repeat(9) + "/set\n";
        Program.Result result = run(
                input.getBytes(StandardCharsets.UTF_8),
                "chat",
                model.toString(),
                "-i",
                "--greedy",
                "--max-new-tokens",
                "2",
                "--context-length",
                "128");
        assertEquals(0, result.code(), result.err());
        assertEquals(
                1,
                result.err()
                        .lines()
                        .filter(l -> l.contains("is full: from now on"))
                        .count(),
                result.err());
        assertTrue(result.err().contains("--context-overflow drop-oldest-turns"), result.err());
        assertTrue(result.out().contains("\npresence-penalty     0.0\n"), result.out());
        assertTrue(result.out().contains("\ncontext-overflow     error\n"), result.out());
    }

    @Test
    void systemMessagesGoWhereTheFormatHasThem() throws Exception {
        assertError(
                2,
                "system",
                run("chat", model.toString(), "-p", "x", "--system", "be brief", "--system-messages", "reject"));
    }

    @Test
    void writesLogits() throws Exception {
        Path out = directory.resolve("logits.safetensors");
        Program.Result result = run(
                "logits",
                model.toString(),
                "--tokens",
                "1,2,3",
                "--out",
                out.toString(),
                "--hidden-states",
                "--decode-steps",
                "2");
        assertEquals(0, result.code(), result.err());
        assertTrue(Files.size(out) > 3 * 300 * 4);
        assertError(
                2,
                "beyond this model's context",
                run("logits", model.toString(), "--tokens", "1,2,3", "--out", out + "2", "--decode-steps", "254"));
        assertFalse(Files.exists(Path.of(out + "2")));
    }

    @Test
    void describesAModelThatCannotChat() throws Exception {
        Path base = TinyModels.make(directory, "base", TinyModels.CONFIG_QWEN2, 4);
        Files.delete(base.resolve("tokenizer.model"));
        TinyTokenizers.writeJson(base, List.of("<|endoftext|>"), List.of());
        JsonNode info = run("info", base.toString(), "--json").json().getFirst();
        assertEquals("tokenizer.json, 257 pieces", info.get("tokenizer").asText());
        assertEquals(
                "none: there is no chat_template beside its tokenizer",
                info.get("chat_format").asText());
    }

    @Test
    void describesAModelAndTheMachine() throws Exception {
        JsonNode info = run("info", model.toString(), "--json").json().getFirst();
        assertEquals("TeleChat (1B, 7B, 12B)", info.get("architecture").asText());
        assertEquals(
                info.get("parameters").asLong() * 4, info.get("weight_bytes").asLong());
        assertEquals("no", info.get("tools").asText());
        assertTrue(info.get("chat_format").asText().matches("<_user>.*<_bot>"), info.toString());
        JsonNode doctor = run("doctor", "--json").json().getFirst();
        assertEquals("cpu", doctor.get("default_backend").asText());
        assertTrue(doctor.get("backends").get("nd4j").asText().startsWith("usable"), doctor.toString());
    }

    @Test
    void benchReportsRatesAndLimits() throws Exception {
        Program.Result result = run(
                "bench",
                model.toString(),
                "--prompt",
                "8",
                "--generate",
                "4",
                "--depth",
                "4",
                "--batch",
                "2,1",
                "--runs",
                "2",
                "--json");
        assertEquals(0, result.code(), result.err());
        JsonNode report = MAPPER.readTree(result.out());
        for (String rate : List.of("prefill_tok_s", "decode_tok_s", "decode_gb_s", "first_token_s")) {
            assertTrue(report.get(rate).asDouble() > 0, report.toString());
        }
        assertTrue(report.get("decode_tok_s_min").asDouble()
                <= report.get("decode_tok_s_max").asDouble());
        assertEquals(2, report.get("batch").asInt());
        assertEquals(2, report.get("batches").size());
        assertTrue(report.get("peak_rss_mib").asInt() != 0);
        assertError(2, "at least 1", run("bench", model.toString(), "--runs", "0"));
    }

    @Test
    void quantizesAndSaysWhatItCosts() throws Exception {
        Path text = directory.resolve("sample.txt");
        Files.writeString(text, "The quick brown fox jumps over the lazy dog. 敏捷的棕色狐狸。");
        Path out = directory.resolve("quantized");
        Program.Result result = run(
                "quantize",
                model.toString(),
                "--to",
                "q8",
                "--out",
                out.toString(),
                "--text",
                text.toString(),
                "--json");
        assertEquals(0, result.code(), result.err());
        JsonNode report = result.json().getFirst();
        assertTrue(report.get("tensors").size() > 5);
        assertTrue(report.at("/comparison/kl_mean").asDouble() < 0.1, report.toString());
        assertTrue(report.at("/comparison/tokens").asInt() > 40);
        Program.Result loaded = run("generate", out.toString(), "--prompt", "hi", "--max-new-tokens", "3", "--greedy");
        Program.Result onTheFly = run(
                "generate", model.toString(), "--prompt", "hi", "--max-new-tokens", "3", "--greedy", "--weights", "q8");
        assertEquals(0, loaded.code(), loaded.err());
        assertEquals(loaded.out(), onTheFly.out());
        assertError(
                3,
                "there is a model already",
                run("quantize", model.toString(), "--to", "q4", "--out", out.toString()));
        assertError(2, "q5", run("quantize", model.toString(), "--to", "q5", "--out", out + "5"));
    }

    @Test
    void initMakesWhatOtherCommandsRead() throws Exception {
        Path config = directory.resolve("made.json");
        Files.writeString(config, TinyModels.CONFIG_52B);
        Path made = directory.resolve("made");
        assertEquals(
                0,
                run(
                                "init",
                                "--config",
                                config.toString(),
                                "--out",
                                made.toString(),
                                "--byte-tokenizer",
                                "--dtype",
                                "f16")
                        .code());
        assertEquals(
                0,
                run("chat", made.toString(), "-p", "x", "--max-new-tokens", "2").code());
        assertError(
                3, "there is a model already", run("init", "--config", config.toString(), "--out", made.toString()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "version",
                "--version",
                "--help",
                "chat --help",
                "completion bash",
                "completion zsh",
                "help generate"
            })
    void helps(String arguments) throws Exception {
        Program.Result result = run(arguments.split(" "));
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().contains("telechat"), result.out());
        assertEquals("", result.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "chatt | 2 | chat",
                "generate MODEL --prompt | 2 | prompt",
                "generate MODEL | 2 | either --prompt TEXT or --tokens",
                "generate MODEL --prompt x --tokens 1 | 2 | either --prompt TEXT or --tokens",
                "generate MODEL --tokens 1,x | 2 | 'x' is not a token id",
                "generate MODEL --tokens 300 | 2 | not in the model's vocabulary",
                "generate MODEL --prompt x --top-p 2 | 2 | top-p is 2",
                "generate MODEL --prompt x --threads 0 | 2 | --threads 0: must be at least 1",
                "generate MODEL --prompt x --backend tpu | 2 | there are: cpu, nd4j",
                "generate MODEL --prompt x --kv-cache q4 | 2 | choose f32 or f16 or bf16 or q8",
                "generate MODEL --prompt x --kv-cache q8 --backend nd4j | 2 | 'nd4j' has no key/value cache of q8",
                "generate MODEL --prompt x --context-length 1000 | 2 | beyond this model's 256",
                "generate MODEL --prompt x --max-new-tokens 0 | 2 | must be at least 1",
                "generate /nowhere --prompt x | 3 | no such directory, and no model of that name",
                "logits MODEL --tokens 999 --out OUT | 2 | not in the vocabulary",
                "logits MODEL --tokens-file /nowhere --out OUT | 3 | cannot be read",
                "tokenize /nowhere | 3 | no such directory, and no model of that name",
                "init --config /nowhere --out OUT | 3 | /nowhere",
                "init --config /nowhere --out OUT --tokenizer MODEL --byte-tokenizer | 2 | exclude each other",
                "logits MODEL --tokens 1 --out /dev/null | 3 | not a file",
                "logits MODEL --tokens 1 --out /nowhere/x | 3 | there is no directory",
                "logits MODEL --tokens 1 --out OUT --decode-steps -1 | 2 | decode steps is -1",
                "chat MODEL -p x --history /nowhere/x | 3 | there is no directory",
                "chat MODEL -p x --tools /nowhere | 3 | there is no such file",
                "generate /dev/null --prompt x | 3 | is not a directory"
            })
    void oneLineSaysWhatIsWrong(String arguments, int code, String part) throws Exception {
        String line = arguments
                .replace("MODEL", model.toString())
                .replace("OUT", directory.resolve("unused").toString());
        assertError(code, part, run(line.split(" ")));
        assertFalse(Files.exists(directory.resolve("unused")));
    }

    @Test
    void onlyOptionsAreRespelledNotTheText() throws Exception {
        Program.Result result =
                run("generate", model.toString(), "--prompt", "--my_text", "--max_new_tokens", "1", "--json");
        Program.Result same = run("generate", model.toString(), "--prompt=--my_text", "--max-new-tokens=1", "--json");
        Program.Result other = run("generate", model.toString(), "--prompt=--my-text", "--max-new-tokens=1", "--json");
        assertEquals(
                same.json().getFirst().get("tokens"), result.json().getFirst().get("tokens"));
        assertEquals(0, other.code());
    }

    @Test
    void badLinesAreToldByTheirNumber() throws Exception {
        for (String line : List.of("\"a\" \"b\"", "\"a\" x", "[1]", "{}")) {
            assertError(
                    3,
                    "stdin line 2",
                    run(("\"ok\"\n" + line).getBytes(StandardCharsets.UTF_8), "tokenize", model.toString()));
        }
        for (String line : List.of("{}", "[1.5]", "[-1]", "[999999]", "\"a\"")) {
            assertError(
                    3,
                    "stdin line 1",
                    run(line.getBytes(StandardCharsets.UTF_8), "tokenize", model.toString(), "--decode"));
        }
        for (String line :
                List.of("[]", "[{\"role\":\"assistant\",\"content\":\"a\"}]", "[{\"role\":\"x\",\"content\":\"a\"}]")) {
            assertError(
                    3,
                    "stdin line 1",
                    run(line.getBytes(StandardCharsets.UTF_8), "tokenize", model.toString(), "--chat"));
        }
    }

    @Test
    void theLastOfRepeatedOptionsWins() throws Exception {
        Program.Result result = run(
                "generate",
                model.toString(),
                "--tokens",
                "1",
                "--max-new-tokens",
                "9",
                "--json",
                "--max-new-tokens",
                "2");
        assertEquals(2, result.json().getFirst().get("tokens").size());
        assertEquals("", result.err());
    }

    @Test
    void aTokenizerOfAnotherModelIsRefused() throws Exception {
        Path small = TinyModels.make(directory, "small", TinyModels.CONFIG_12B.replace("300", "200"), 1);
        assertError(3, "they don't belong together", run("chat", small.toString(), "-p", "x"));
    }

    @Test
    void switchesThatWouldChangeTheMathematicsAreRefused() throws Exception {
        Path gelu = TinyModels.make(directory, "gelu", TinyModels.CONFIG_52B, 1);
        Files.writeString(
                gelu.resolve("config.json"),
                TinyModels.CONFIG_52B.replace("{\"model_type", "{\"activation_function\": \"gelu\", \"model_type"));
        assertError(3, "'activation_function' is \"gelu\"", run("generate", gelu.toString(), "--tokens", "1"));
    }

    @Test
    void emptyPromptsAreRefused() throws Exception {
        assertError(2, "empty", run("chat", model.toString(), "-p", ""));
        assertError(2, "empty", run(" \n".getBytes(StandardCharsets.UTF_8), "chat", model.toString()));
        assertError(2, "empty", run("generate", model.toString(), "--prompt", ""));
        assertError(2, "empty", run("generate", model.toString(), "--tokens", ""));
    }

    @Test
    void invalidUtf8IsRefusedWithItsPlace() throws Exception {
        byte[] input = {'"', 'a', (byte) 0xff, '"'};
        assertError(3, "not valid UTF-8 at byte 2", run(input, "chat", model.toString()));
    }

    @Test
    void aModelLargerThanMemoryIsRefusedBeforeLoading() throws Exception {
        assertError(
                4,
                "but this machine has",
                run("generate", telechat2.toString(), "--prompt", "x", "--context-length", "100000000"));
    }

    @Test
    void aMissingTokenizerIsNamedWhereOneIsNeeded() throws Exception {
        Path bare = Files.createDirectories(directory.resolve("bare"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(model.resolve(name), bare.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
        assertError(3, "--tokenizer DIR", run("chat", bare.toString(), "-p", "x"));
        assertEquals(
                0,
                run("generate", bare.toString(), "--tokens", "1,2", "--max-new-tokens", "2")
                        .code());
        assertEquals(
                0,
                run("chat", bare.toString(), "-p", "x", "--max-new-tokens", "2", "--tokenizer", model.toString())
                        .code());
    }

    @Test
    void theStackTraceIsThereForThoseWhoAsk() throws Exception {
        Program.Result result = run("generate", "/nowhere", "--prompt", "x", "--stacktrace");
        assertEquals(3, result.code());
        assertTrue(result.err().contains("\tat io.telechat"), result.err());
    }
}
