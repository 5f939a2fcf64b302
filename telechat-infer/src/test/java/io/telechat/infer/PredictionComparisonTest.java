// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.Goldens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What rounding the weights of the golden models costs. */
class PredictionComparisonTest {
    static List<Path> models() throws IOException {
        return Goldens.models();
    }

    private static int[] text(ChatModel model, int tokens) {
        SplittableRandom random = new SplittableRandom(5);
        return random.ints(tokens, 0, model.info().vocabSize()).toArray();
    }

    @ParameterizedTest
    @MethodSource("models")
    void eightBitsCostThousandthsOfANat(Path directory) {
        LoadOptions plain = LoadOptions.builder().activations(DType.F32).build();
        try (ChatModel original = ChatModel.load(directory, plain);
                ChatModel rounded = ChatModel.load(
                        directory,
                        LoadOptions.builder()
                                .activations(DType.F32)
                                .quantization(DType.Q8)
                                .build())) {
            int tokens = Math.min(200, original.contextLength() - 1);
            PredictionComparison comparison = PredictionComparison.of(original, rounded, text(original, tokens));
            assertEquals(tokens - 1, comparison.tokens());
            assertTrue(comparison.meanKl() > 0, comparison.toString());
            // The 7B's random logits spread five times as far as a trained model's: there, even bfloat16 misses a
            // thousandth
            // (docs/LOG.md has the figures).
            // The other families' are 24 to 64 features wide, over which less averages out.
            String name = directory.getFileName().toString();
            boolean isOtherFamily = name.startsWith("telechat3") || !name.startsWith("telechat");
            double allowed = name.startsWith("telechat7b") ? 1e-2 : isOtherFamily ? 5e-3 : 1e-3;
            assertTrue(comparison.meanKl() <= allowed, comparison.toString());
        }
    }

    /** The figures of all models are in docs/LOG.md. */
    @ParameterizedTest
    @MethodSource("models")
    void aCacheOfEightBitsCostsLessThanWeightsOfEight(Path directory) {
        LoadOptions plain = LoadOptions.builder().activations(DType.F32).build();
        LoadOptions eightBits =
                LoadOptions.builder().activations(DType.F32).cacheType(DType.Q8).build();
        try (ChatModel original = ChatModel.load(directory, plain);
                ChatModel rounded = ChatModel.load(directory, eightBits)) {
            int tokens = Math.min(200, original.contextLength() - 1);
            PredictionComparison comparison = PredictionComparison.of(original, rounded, text(original, tokens));
            assertTrue(comparison.meanKl() > 0 && comparison.meanKl() <= 1e-3, comparison.toString());
        }
    }

    /** On CPUs with instructions for bfloat16; elsewhere nothing is rounded, and nothing differs. */
    @Test
    void activationsOfSixteenBitsCostLessThanWeightsOfEight() {
        Path directory = Goldens.committed("telechat52b_bin_bf16");
        LoadOptions exact = LoadOptions.builder().activations(DType.F32).build();
        try (ChatModel original = ChatModel.load(directory, exact);
                ChatModel rounded = ChatModel.load(
                        directory, LoadOptions.builder().activations(DType.BF16).build())) {
            PredictionComparison comparison = PredictionComparison.of(original, rounded, text(original, 300));
            assertTrue(comparison.meanKl() <= 1e-3, comparison.toString());
        }
    }

    @Test
    void aModelPredictsLikeItself() {
        Path directory = Goldens.committed("telechat52b_bin_bf16");
        try (ChatModel model = ChatModel.load(directory)) {
            PredictionComparison comparison = PredictionComparison.of(model, model, text(model, 300));
            assertEquals(0, comparison.meanKl(), 1e-12);
            assertEquals(1, comparison.sameTop());
            assertEquals(comparison.perplexity(), comparison.otherPerplexity());
            assertThrows(InvalidRequestException.class, () -> PredictionComparison.of(model, model, new int[] {1}));
        }
    }
}
