// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A generation_config.json is obeyed or refused by name; what is asked for on the command line comes first. */
class GenerationDefaultsTest {
    private static final GenerationOverrides GREEDY = new GenerationOverrides(
            true,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    @TempDir
    private Path directory;

    private GenerationDefaults read(String keys) throws IOException {
        Files.writeString(directory.resolve("config.json"), "{}");
        Files.writeString(directory.resolve("generation_config.json"), "{" + keys.replace('\'', '"') + "}");
        return GenerationDefaults.read(directory);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'no_repeat_ngram_size': 3",
                "'bad_words_ids': [[5]]",
                "'num_beams': 4",
                "'typical_p': 0.9",
                "'min_new_tokens': 5",
                "'repetition_penalty': 0",
                "'repetition_penalty': 'much'",
                "'do_sample': true, 'temperature': -1",
                "'do_sample': true, 'top_k': -2"
            })
    void whatIsNotDoneIsRefusedByNameUnlessItDoesNotCount(String keys) throws IOException {
        GenerationDefaults defaults = read(keys);
        String message = assertThrows(InvalidModelException.class, () -> defaults.options(GenerationOverrides.NONE))
                .getMessage();
        String[] names = keys.split("'");
        assertTrue(message.contains(names[keys.startsWith("'do_sample'") ? 3 : 1]), message);
        assertTrue(defaults.options(GREEDY).sampling().isGreedy());
    }

    @Test
    void whatAsksForNothingPasses() throws IOException {
        GenerationOptions options =
                read("'no_repeat_ngram_size': 0, 'num_beams': 1, 'bad_words_ids': null, 'temperature': -1, 'score':"
                                + " NaN")
                        .options(GenerationOverrides.NONE);
        assertTrue(options.sampling().isGreedy());
    }

    @Test
    void minusOneLikeliestTokensAreAll() throws IOException {
        assertEquals(
                0,
                read("'do_sample': true, 'top_k': -1")
                        .options(GenerationOverrides.NONE)
                        .sampling()
                        .topK());
    }

    @Test
    void stopStringsAreObeyed() throws IOException {
        assertEquals(
                List.of("###", "END"),
                read("'stop_strings': ['###', 'END']")
                        .options(GenerationOverrides.NONE)
                        .stopStrings());
    }

    /** What the makers of other families publish, in their words. */
    @Test
    void filesOfOtherFamiliesAreObeyed() throws IOException {
        GenerationDefaults llama2 = read("'bos_token_id': 1, 'do_sample': true, 'eos_token_id': 2, 'max_length': 4096,"
                + " 'pad_token_id': 0, 'temperature': 0.6, 'top_p': 0.9");
        assertEquals(new SamplingOptions(true, 0.6f, 50, 0.9f, 0, 1, 0, 0), sampling(llama2));
        assertEquals(OptionalInt.of(4096), llama2.maxLength());
        GenerationDefaults firstLlama2 = read("'temperature': 0.9, 'top_p': 0.6");
        assertFalse(sampling(firstLlama2).sample());
        GenerationDefaults qwen1 = read("'chat_format': 'chatml', 'do_sample': true, 'eos_token_id': 151643,"
                + " 'max_new_tokens': 512, 'max_window_size': 6144, 'pad_token_id': 151643, 'top_k': 0, 'top_p': 0.8");
        assertEquals(new SamplingOptions(true, 1, 0, 0.8f, 0, 1, 0, 0), sampling(qwen1));
        assertEquals(OptionalInt.of(512), qwen1.maxNewTokens());
        assertEquals(Set.of(151643), qwen1.eosIds());
        GenerationDefaults qwen2 =
                read("'do_sample': true, 'eos_token_id': [151645, 151643], 'repetition_penalty': 1.05,"
                        + " 'temperature': 0.7, 'top_k': 20, 'top_p': 0.8");
        assertEquals(new SamplingOptions(true, 0.7f, 20, 0.8f, 0, 1.05f, 0, 0), sampling(qwen2));
        assertEquals(Set.of(151643, 151645), qwen2.eosIds());
    }

    @Test
    void teleChat3IsSampledAsItsMakersAdviseUnlessItsFileSaysHow() throws IOException {
        String file = "{\"eos_token_id\": 2%s}";
        Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"telechat3\"}");
        Files.writeString(directory.resolve("generation_config.json"), file.formatted(""));
        assertEquals(
                new SamplingOptions(true, 0.6f, 0, 0.95f, 0, 1.05f, 0, 0),
                sampling(GenerationDefaults.read(directory)));
        Files.writeString(directory.resolve("generation_config.json"), file.formatted(", \"do_sample\": false"));
        assertFalse(sampling(GenerationDefaults.read(directory)).sample());
        Files.delete(directory.resolve("generation_config.json"));
        assertFalse(sampling(GenerationDefaults.read(directory)).sample());
    }

    private static SamplingOptions sampling(GenerationDefaults defaults) {
        return defaults.options(GenerationOverrides.NONE).sampling();
    }
}
