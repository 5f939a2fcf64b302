// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.Perplexity.Windows;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PerplexityTest {
    @TempDir
    static Path directory;

    private static ChatModel model;

    @BeforeAll
    static void load() throws IOException {
        Path path = TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 1);
        model = ChatModel.load(path, LoadOptions.builder().contextLength(300).build());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static int[] ids(int count) {
        return new Random(count).ints(count, 0, 260).toArray();
    }

    /** Written down from the recipe in transformers' documentation: windows with labels, those that do not count masked. */
    private static List<Double> expected(int[] text, int window, int stride) {
        List<Double> nats = new ArrayList<>();
        int previousEnd = 0;
        for (int begin = 0; begin < text.length; begin += stride) {
            int end = Math.min(begin + window, text.length);
            int counted = end - previousEnd;
            int[] input = Arrays.copyOfRange(text, begin, end);
            double[][] logits = logits(input);
            for (int i = 1; i < input.length; i++) { // the label of row i − 1
                if (i >= input.length - counted) {
                    nats.add(-logSoftmax(logits[i - 1], input[i]));
                }
            }
            previousEnd = end;
            if (end == text.length) {
                break;
            }
        }
        return nats;
    }

    private static double[][] logits(int[] input) {
        double[][] all = new double[input.length][];
        try (Context context = model.newContext()) {
            model.observe(input, context, new PassObserver() {
                @Override
                public void logits(int firstRow, Tensor rows) {
                    for (int i = 0; i < rows.rows(); i++) {
                        float[] row = rows.rows(i, i + 1).toFloats();
                        all[firstRow + i] = new double[row.length];
                        Arrays.setAll(all[firstRow + i], k -> row[k]);
                    }
                }
            });
        }
        return all;
    }

    private static double logSoftmax(double[] logits, int id) {
        return logits[id] - Math.log(Arrays.stream(logits).map(Math::exp).sum());
    }

    @ParameterizedTest
    @CsvSource({
        "2, 300, 150",
        "299, 300, 150",
        "300, 300, 150",
        "301, 300, 150",
        "1000, 300, 150",
        "1000, 300, 299",
        "700, 300, 1",
        "50, 2, 1",
        "500, 64, 50"
    })
    void itIsThatOfTheDefinition(int tokens, int window, int stride) {
        int[] text = ids(tokens);
        List<Double> nats = expected(text, window, stride);
        assertEquals(tokens - 1, nats.size());
        double mean = nats.stream().mapToDouble(x -> x).average().orElseThrow();
        double variance =
                nats.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum() / (nats.size() - 1);
        List<Long> progress = new ArrayList<>();
        Perplexity found = Perplexity.of(model, text, 3 * tokens, new Windows(window, stride), progress::add);
        assertEquals(tokens - 1, found.tokens());
        assertEquals(mean, found.nats(), 1e-12);
        assertEquals(Math.exp(mean), found.perplexity(), 1e-9);
        assertEquals(mean * (tokens - 1) / Math.log(2) / (3 * tokens), found.bitsPerByte(), 1e-12);
        assertEquals(Math.sqrt(variance / nats.size()), found.natsError(), 1e-12);
        assertEquals(Math.exp(mean) * Math.sqrt(variance / nats.size()), found.perplexityError(), 1e-9);
        assertEquals(tokens - 1L, progress.getLast());
    }

    @Test
    void whatCannotBeIsRefused() {
        assertThrows(InvalidRequestException.class, () -> new Windows(1, 1));
        assertThrows(InvalidRequestException.class, () -> new Windows(10, 10));
        assertThrows(InvalidRequestException.class, () -> new Windows(10, 0));
        Windows windows = Windows.of(300);
        assertThrows(InvalidRequestException.class, () -> Perplexity.of(model, ids(1), 1, windows, done -> {}));
        Windows long301 = Windows.of(301);
        assertTrue(assertThrows(
                        InvalidRequestException.class, () -> Perplexity.of(model, ids(500), 1, long301, done -> {}))
                .getMessage()
                .contains("beyond the context of 300"));
    }

    @Test
    void aClosedModelPredictsNothing() throws IOException {
        Path path = TinyModels.make(directory, "closed", TinyModels.CONFIG_TELECHAT2, 1);
        ChatModel closed =
                ChatModel.load(path, LoadOptions.builder().contextLength(200).build());
        Windows windows = Windows.of(200);
        assertThrows(
                IllegalStateException.class,
                () -> Perplexity.of(closed, ids(20_000), 1, windows, done -> {
                    if (done > 0) {
                        closed.close();
                    }
                }));
    }
}
