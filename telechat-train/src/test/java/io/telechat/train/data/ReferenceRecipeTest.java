// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.testing.Goldens;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Samples id for id as those of process_data.py. */
@Tag("slow")
class ReferenceRecipeTest {
    @TempDir
    Path directory;

    /** The data of a golden case, its sources cut out of the example files. */
    private TinyData golden(JsonNode description) throws IOException {
        List<String> weights = new ArrayList<>();
        TinyData data = new TinyData(directory)
                .tokenizer(Goldens.shared(
                        "tokenizers/" + description.get("tokenizer").asText()))
                .recipe(DataRecipe.REFERENCE)
                .rowTokens(description.get("max_seq_len").intValue())
                .samples(description.get("num_samples").intValue())
                .seed(description.get("seed").longValue());
        for (JsonNode source : description.get("sources")) {
            String name = source.get("file").asText();
            int first = source.get("first_line").intValue();
            List<String> lines = Files.readAllLines(Goldens.shared("datas/" + name))
                    .subList(first, first + source.get("count").intValue());
            data.file(name, lines.toArray(String[]::new));
            weights.add("\"%s\": %s".formatted(name, source.get("weight")));
        }
        return data.mix("{" + String.join(", ", weights) + "}");
    }

    @ParameterizedTest
    @CsvSource({
        "single40_w1, 1",
        "single40_w1, 2",
        "multi40_w1, 1",
        "multi40_w1, 2",
        "mixed_w15_repeat, 1",
        "mixed_w15_repeat, 2",
        "mixed_w2_w05, 1",
        "mixed_w2_w05, 2",
        "tight_ctx, 1",
        "tight_ctx, 2"
    })
    void makesTheGoldenSamples(String name, int threads) throws IOException {
        Path golden = Goldens.shared("process_data/" + name);
        Assumptions.assumeTrue(Files.exists(golden), "needs the golden data beside the checkout");
        List<TrainingData.Sample> samples = golden(
                        new ObjectMapper().readTree(golden.resolve("case.json").toFile()))
                .threads(threads)
                .make();
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile expected = SafetensorsFile.open(golden.resolve("expected.safetensors"), arena);
            assertArrayEquals(ints(expected, "input_ids"), join(samples.stream().map(TrainingData.Sample::ids)));
            assertArrayEquals(
                    ints(expected, "loss_mask_intended"),
                    join(samples.stream().map(TrainingData.Sample::mask).map(ReferenceRecipeTest::ints)));
        }
    }

    private static int[] ints(SafetensorsFile file, String name) {
        return file.tensor(name).segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
    }

    private static int[] ints(byte[] bytes) {
        int[] ints = new int[bytes.length];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = bytes[i];
        }
        return ints;
    }

    private static int[] join(Stream<int[]> parts) {
        return parts.flatMapToInt(Arrays::stream).toArray();
    }

    @Test
    void everyTurnIsEncodedOnItsOwnAndTheLastAnswerIsTrained() throws IOException {
        TinyData data = new TinyData(directory)
                .format52b()
                .recipe(DataRecipe.REFERENCE)
                .lines(TinyData.line("q1<_bot>a1<_user>q2", "a2"));
        assertEquals(List.of("<_user>q1<_bot> a1<_end> <_user>q2<_bot>[a2</s>]"), data.texts(data.make()));
    }

    @Test
    void withoutANumberOfSamplesEveryLineIsUsedOnce() throws IOException {
        TinyData data = new TinyData(directory)
                .format52b()
                .recipe(DataRecipe.REFERENCE)
                .rowTokens(128)
                .lines(TinyData.numbered(0, 50));
        DataReport report = data.report();
        assertEquals(50, report.sources().getFirst().dialogs());
        assertEquals(1, report.rounds());
    }

    @Test
    void theWeightsDrawOnePythonStream() throws IOException {
        TinyData data = new TinyData(directory)
                .format52b()
                .recipe(DataRecipe.REFERENCE)
                .rowTokens(128)
                .lines(TinyData.numbered(0, 100))
                .mix("{\"lines.jsonl\": 0.5}");
        List<String> expected = new ArrayList<>();
        MersenneTwister random = new MersenneTwister(42);
        for (String line : TinyData.numbered(0, 100)) {
            String[] parts = line.split("\"");
            if (random.nextDouble() <= 0.5) {
                expected.add("<_user>%s<_bot>[%s</s>]".formatted(parts[3], parts[7]));
            }
        }
        Collections.sort(expected);
        assertEquals(expected, data.texts(data.make()));
    }

    @Test
    void otherTokenizersAreRefused() throws IOException {
        TinyData data = new TinyData(directory).recipe(DataRecipe.REFERENCE).lines(TinyData.line("q", "a"));
        String message = assertThrows(InvalidModelException.class, data::run).getMessage();
        assertTrue(message.contains("--recipe reference"), message);
    }
}
