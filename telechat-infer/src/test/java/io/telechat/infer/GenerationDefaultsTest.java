// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.infer.generation.GenerationOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
}
