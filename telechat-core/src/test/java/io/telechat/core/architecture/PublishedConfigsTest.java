// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The files in configs/ against the sizes of the published checkpoints. */
class PublishedConfigsTest {
    private static ModelConfig config(String name) {
        ConfigFile file = ConfigFile.read(Path.of("..", "configs", name + ".json"));
        return Architectures.of(file, Set.of()).readConfig(file, Set.of());
    }

    /** Bytes as the published index files declare them, by the size of an element there. */
    @ParameterizedTest
    @CsvSource({
        "telechat-7b, 14400036864, 2, TeleChat (1B; 7B; 12B)",
        "telechat-12b, 24772864000, 2, TeleChat (1B; 7B; 12B)",
        "telechat2-115b, 453131665408, 4, TeleChat2",
        "llama-2-7b, 13476831232, 2, Llama (2; 3; 3.1)",
        "llama-2-70b, 137953296384, 2, Llama (2; 3; 3.1)",
        "llama-3.1-8b, 16060522496, 2, Llama (2; 3; 3.1)",
        "qwen-72b, 144575840256, 2, Qwen",
        "qwen2.5-7b, 15231233024, 2, Qwen2 (1.5; 2; 2.5)",
        "qwen3-8b, 16381470720, 2, Qwen3"
    })
    void sizesAreThePublishedOnes(String name, long bytes, int elementBytes, String architecture) {
        assertEquals(bytes / elementBytes, config(name).parameters());
        assertEquals(architecture.replace(';', ','), config(name).architecture().name());
    }

    /** The 52B's published index also counts a scalar buffer per layer, so its number is told in words: 52.83 G. */
    @ParameterizedTest
    @CsvSource({
        "telechat-52b, 52.83",
        "telechat-1b, 1.46",
        "telechat2-3b, 3.07",
        "telechat2-7b, 7.62",
        "telechat2-35b, 35.435",
        "telechat3-36b, 36.24",
        "bench-s, 0.371",
        "bench-m, 1.261",
        "train-t, 0.034",
        "tiny, 0.00017"
    })
    void parameterCountsAreAsDescribed(String name, double billions) {
        assertEquals(billions, config(name).parameters() / 1e9, 0.005);
    }

    @ParameterizedTest
    @CsvSource({"telechat-52b, 1, 0.03125", "telechat-12b, 1, 1"})
    void multipliersAreThoseOfTheArchitecture(String name, float embedding, float logits) {
        assertEquals(embedding, config(name).embeddingScale());
        assertEquals(logits, config(name).logitScale());
    }
}
