// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.backend.TopLogits;
import io.telechat.core.testing.EmulatedGpu;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.Speculation;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.grammar.JsonSchema;
import io.telechat.infer.sampling.Sampler;
import io.telechat.infer.sampling.SamplingOptions;
import io.telechat.infer.sampling.TokenHistory;
import io.telechat.infer.sampling.VocabularyMask;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From the highest logits alone, selected where they are, comes what whole rows give. */
class TopLogitsTest {
    /** How many the GPU selects; 0 for whole rows. */
    private static final String CANDIDATES = "telechat.cuda.candidates";

    @TempDir
    Path directory;

    @AfterEach
    void restore() {
        System.clearProperty(CANDIDATES);
    }

    private static SamplingOptions sampling(float temperature, int topK, float topP, float minP, float repetition) {
        return new SamplingOptions(true, temperature, topK, topP, minP, repetition, 0.2f, -0.1f);
    }

    private static List<Request> requests() throws IOException {
        GenerationOptions greedy = GenerationOptions.greedy().withMaxNewTokens(16);
        String schema = """
            {"type": "object", "properties": {"on": {"type": "boolean"}, "name": {"type": "string", "maxLength": 8}},
             "required": ["on", "name"], "additionalProperties": false}
            """;
        List<GenerationOptions> all = new ArrayList<>(List.of(
                greedy,
                greedy.withSampling(new SamplingOptions(false, 1, 0, 1, 0, 1.2f, 0.5f, 0.5f)),
                greedy.withSampling(sampling(0.3f, 5, 0.85f, 0, 1.03f)).withLogprobs(3),
                greedy.withSampling(sampling(0.9f, 20, 1, 0.05f, 1)).withLogprobs(100),
                greedy.withSampling(sampling(1.4f, 50, 0.95f, 0, 0.9f)),
                greedy.withSampling(sampling(1, 0, 0.9f, 0, 1)),
                greedy.withSampling(sampling(1, 0, 1, 0.2f, 1)),
                greedy.withSampling(sampling(1, 10, 1, 0, 1))
                        .withLogitBias(Map.of(50, 3f, 60, -5f))
                        .withStops(Set.of(2), List.of())
                        .withMinNewTokens(12)));
        for (boolean random : new boolean[] {false, true}) {
            GenerationOptions form = greedy.withGrammar(JsonSchema.compile(new ObjectMapper().readTree(schema)))
                    .withMaxNewTokens(40);
            all.add(random ? form.withSampling(sampling(1.5f, 8, 1, 0, 1)) : form);
        }
        List<Request> requests = new ArrayList<>();
        for (GenerationOptions options : all) {
            int[] prompt = new Random(requests.size()).ints(12, 30, 50).toArray();
            requests.add(Request.of(prompt, options.withSeed(requests.size())));
        }
        requests.add(requests.get(2).withPromptLogprobs(2));
        return requests;
    }

    private static List<Generation> generate(Path model, int candidates) throws IOException {
        System.setProperty(CANDIDATES, Integer.toString(candidates));
        LoadOptions options = LoadOptions.builder()
                .backend("cuda")
                .speculation(Speculation.ngram(3))
                .build();
        try (ChatModel loaded = ChatModel.load(model, options)) {
            List<Generation> answers = new ArrayList<>();
            for (Request request : requests()) {
                answers.add(EngineAnswer.of(loaded, request));
            }
            return answers;
        }
    }

    @Tag("slow")
    @Test
    void theSameTokensComeFromTheHighestAndFromAll() throws IOException {
        EmulatedGpu.assumeBuiltFor("cuda");
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_TELECHAT2, 3);
        List<Generation> expected = generate(model, 0);
        for (int candidates : new int[] {30, 1024}) {
            List<Generation> got = generate(model, candidates);
            for (int i = 0; i < expected.size(); i++) {
                assertEquals(expected.get(i).tokens(), got.get(i).tokens(), "request %d".formatted(i));
                assertSame(expected.get(i).logprobs(), got.get(i).logprobs());
                assertEquals(expected.get(i).promptLogprobs(), got.get(i).promptLogprobs());
            }
        }
    }

    /** The same tokens; of the sums, the GPU's are of floats. */
    private static void assertSame(List<Generation.TokenLogprob> expected, List<Generation.TokenLogprob> got) {
        assertEquals(expected.size(), got.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).logprob(), got.get(i).logprob(), 1e-5);
            assertEquals(ids(expected.get(i)), ids(got.get(i)));
        }
    }

    private static List<Integer> ids(Generation.TokenLogprob token) {
        return token.alternatives().stream().map(Generation.Alternative::id).toList();
    }

    private static RowLogits withoutARow(float rest) {
        TopLogits top = new TopLogits(1000, new int[] {7, 30, 999}, new float[] {2, 5, 3}, rest, 5.5);
        return new RowLogits(Optional.of(top), () -> {
            throw new IllegalStateException("the whole row is copied");
        });
    }

    @Test
    void nothingElseIsCopiedWhereTheHighestAreEnough() {
        TokenHistory history = new TokenHistory(new int[] {7});
        for (SamplingOptions options : List.of(SamplingOptions.GREEDY, sampling(1, 1, 0.9f, 0, 1.1f))) {
            Sampler sampler = Sampler.of(options, new VocabularyMask(1000), 0);
            assertEquals(30, withoutARow(1).sample(sampler, history));
        }
        assertEquals(-0.5, Logprobs.of(withoutARow(1), 30, 3).logprob());
    }
}
