// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.Speculation;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenListener;
import io.telechat.infer.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guessing changes no bit of what comes. */
class SpeculationTest {
    @TempDir
    Path directory;

    private static Generation run(ChatModel model, int[] prompt, GenerationOptions options) {
        return model.generate(prompt, options, TokenListener.SILENT, new Cancellation());
    }

    private static List<GenerationOptions> options() {
        SamplingOptions random = new SamplingOptions(true, 0.3f, 0, 0.9f, 0, 1.2f, 0.1f, 0.1f);
        GenerationOptions greedy =
                GenerationOptions.greedy().withMaxNewTokens(120).withLogprobs(2);
        return List.of(
                greedy,
                greedy.withSampling(random).withSeed(5),
                // Among six tokens, text repeats itself, so that many guesses are right.
                greedy.withLogitBias(Map.of(50, 30f, 51, 30f, 52, 30f, 53, 30f, 54, 30f, 55, 30f)),
                greedy.withSampling(random)
                        .withSeed(6)
                        .withLogitBias(Map.of(50, 30f, 51, 30f, 52, 30f))
                        .withStops(Set.of(77), List.of("3232")));
    }

    @Test
    void theSameTokensComeWithAndWithoutGuesses() throws IOException {
        int[] prompt = IntStream.range(0, 60).map(i -> 30 + i % 20).toArray();
        long seed = 1;
        for (String config : List.of(TinyModels.CONFIG_52B, TinyModels.CONFIG_12B, TinyModels.CONFIG_TELECHAT2)) {
            Path large = TinyModels.make(directory, "large" + seed, config, seed);
            Path small = TinyModels.make(directory, "small" + seed, config, seed % 2 == 1 ? seed : seed + 100);
            try (ChatModel plain = ChatModel.load(large);
                    ChatModel ngram = ChatModel.load(
                            large,
                            LoadOptions.builder()
                                    .speculation(Speculation.ngram(6))
                                    .build());
                    ChatModel drafted = ChatModel.load(
                            large,
                            LoadOptions.builder()
                                    .speculation(Speculation.model(small, 4))
                                    .build())) {
                for (GenerationOptions options : options()) {
                    Generation expected = run(plain, prompt, options);
                    for (ChatModel model : List.of(ngram, drafted)) {
                        Generation got = run(model, prompt, options);
                        assertEquals(expected.tokens(), got.tokens());
                        assertEquals(expected.logprobs(), got.logprobs());
                        assertEquals(expected.text(), got.text());
                        assertEquals(expected.finishReason(), got.finishReason());
                    }
                }
                assertTrue(ngram.engine().stats().acceptedTokens() > 0);
                if (seed % 2 == 1) {
                    // The model guesses for itself: all that is greedy is right, unless the tokenizer lacks an id.
                    Generation.Usage usage =
                            run(drafted, prompt, options().getFirst()).usage();
                    assertTrue(4 * usage.acceptedTokens() > 3 * usage.draftedTokens(), usage.toString());
                    assertTrue(usage.draftedTokens() > 80, usage.toString());
                }
            }
            seed++;
        }
    }

    @Test
    void whatFollowedBeforeIsGuessed() {
        int[] tokens = {1, 2, 3, 4, 5, 6, 7, 2, 3, 4, 0, 0};
        NGramDrafter drafter = new NGramDrafter();
        assertArrayEquals(new int[] {5, 6, 7}, drafter.draft(this, tokens, 10, 3));
        assertArrayEquals(new int[] {5, 6, 7, 2, 3, 4}, drafter.draft(this, tokens, 10, 20));
        assertArrayEquals(new int[0], drafter.draft(this, tokens, 7, 3));
    }

    @Test
    void aDraftModelOfAnotherVocabularyIsRefused() throws IOException {
        Path large = TinyModels.make(directory, "large", TinyModels.CONFIG_52B, 1);
        Path other = TinyModels.make(
                directory, "other", TinyModels.CONFIG_52B.replace("\"vocab_size\": 300", "\"vocab_size\": 310"), 1);
        LoadOptions options =
                LoadOptions.builder().speculation(Speculation.model(other, 4)).build();
        assertThrows(InvalidRequestException.class, () -> ChatModel.load(large, options));
    }
}
