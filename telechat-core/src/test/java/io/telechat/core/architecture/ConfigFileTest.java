// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys of a config.json that would change the result are obeyed or refused by name; others pass. */
class ConfigFileTest {
    @TempDir
    private Path directory;

    private ModelConfig read(String config, String more) throws IOException {
        String text = config.strip();
        Path file = Files.writeString(
                directory.resolve("config.json"), text.substring(0, text.length() - 1) + ", " + more + "}");
        ConfigFile json = ConfigFile.read(file);
        return Architectures.of(json, Set.of()).readConfig(json, Set.of());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'rope_scaling': {'type': 'linear', 'factor': 4.0}",
                "'rope_scaling': {'rope_type': 'yarn', 'factor': 2}",
                "'rope_scaling': 'dynamic'",
                "'rope_parameters': {'rope_type': 'llama3', 'factor': 8}",
                "'rope_parameters': {'rope_type': 'default', 'rope_theta': 500000}",
                "'rope_theta': 500000",
                "'quantization_config': {'quant_method': 'gptq', 'bits': 4}",
                "'use_sliding_window': true",
                "'logn': true",
                "'hidden_act': 'gelu'",
                "'num_experts': 8",
                "'head_dim': 6",
                "'rms_norm_eps': 0.001"
            })
    void whatIsNotComputedIsRefusedByName(String key) {
        String config = TinyModels.CONFIG_12B.replaceAll("\"layer_norm_epsilon\"[^,]*,", "");
        String message = assertThrows(InvalidModelException.class, () -> read(config, key.replace('\'', '"')))
                .getMessage();
        assertTrue(message.contains(key.substring(1, key.indexOf('\'', 1))), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'rope_scaling': null",
                "'rope_scaling': {}",
                "'rope_scaling': {'rope_type': 'default'}",
                "'rope_parameters': {'rope_type': 'default', 'rope_theta': 10000.0}",
                "'quantization_config': null",
                "'logn': false",
                "'pretraining_tp': 2",
                "'an_unknown_key': 'of no matter'",
                "'score': NaN"
            })
    void whatAsksForNothingPasses(String key) throws IOException {
        read(TinyModels.CONFIG_12B, key.replace('\'', '"'));
        read(TinyModels.CONFIG_52B, key.replace('\'', '"'));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'rope_scaling': {'type': 'dynamic', 'factor': 4.0}",
                "'rope_scaling': {'rope_type': 'longrope', 'factor': 4.0}",
                "'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0, 'mscale': 0.7}",
                "'rope_scaling': {'rope_type': 'yarn'}",
                "'rope_parameters': {'full_attention': {'rope_theta': 10000.0}}",
                "'rope_scaling': 'yarn'",
                "'rope_parameters': [8]",
                "'rope_scaling': {'type': 'linear', 'factor': 4.0}, 'rope_parameters': {'rope_type': 'default'}",
                "'use_sliding_window': true",
                "'layer_types': ['full_attention', 'sliding_attention']",
                "'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0, 'truncate': false}",
                "'mlp_bias': true",
                "'num_experts': 8"
            })
    void whatOtherFamiliesDoNotComputeIsRefusedByName(String key) {
        String config = TinyModels.CONFIG_QWEN3.replaceAll("(?s),\\s*\"rope_parameters\".*", "}");
        String message = assertThrows(InvalidModelException.class, () -> read(config, key.replace('\'', '"')))
                .getMessage();
        assertTrue(message.contains(key.substring(1, key.indexOf('\'', 1))), message);
    }

    /** The type says more than a key that only this type has. */
    @Test
    void anotherScalingIsRefusedByItsTypeFirst() {
        String config = TinyModels.CONFIG_QWEN3.replaceAll("(?s),\\s*\"rope_parameters\".*", "}");
        String scaling = "\"rope_scaling\": {\"type\": \"longrope\", \"long_factor\": [1.0]}";
        String message = assertThrows(InvalidModelException.class, () -> read(config, scaling))
                .getMessage();
        assertTrue(message.contains("'longrope'"), message);
    }

    @Test
    void aConfigurationWithoutAFamilyIsToldSo() {
        String message = assertThrows(InvalidModelException.class, () -> read("{\"hidden_size\": 8}", "\"x\": 1"))
                .getMessage();
        assertTrue(message.contains("'model_type' is missing"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3", "qwen3_moe", "gemma"})
    void anUnknownFamilyIsRefusedByName(String family) {
        String message = assertThrows(
                        InvalidModelException.class, () -> read("{\"model_type\": \"" + family + "\"}", "\"x\": 1"))
                .getMessage();
        assertTrue(message.contains("'" + family + "'") && message.contains("TeleChat3"), message);
    }

    @Test
    void bothSpellingsOfARotationSayTheSame() throws IOException {
        String plain = TinyModels.CONFIG_QWEN3.replaceAll("(?s),\\s*\"rope_parameters\".*", "}");
        ModelConfig old = read(
                plain,
                "\"rope_theta\": 1000000.0, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4.0,"
                        + " \"original_max_position_embeddings\": 64}");
        ModelConfig young = read(
                plain,
                "\"rope_parameters\": {\"rope_type\": \"yarn\", \"rope_theta\": 1000000.0, \"factor\": 4.0,"
                        + " \"original_max_position_embeddings\": 64}");
        assertEquals(old.rope(), young.rope());
        assertEquals(0.1 * Math.log(4) + 1, old.rope().scaling(1, 1, 1).magnitude(), 1e-12);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'rope_parameters': {'rope_type': 'default', 'partial_rotary_factor': 1.0}",
                "'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0, 'truncate': true}",
                "'layer_types': ['full_attention', 'full_attention']",
                "'sliding_window': 4096, 'use_sliding_window': false",
                "'attention_bias': true"
            })
    void whatAsksOtherFamiliesForNothingPasses(String key) throws IOException {
        String config = TinyModels.CONFIG_QWEN3.replaceAll("(?s),\\s*\"rope_parameters\".*", "}");
        read(config, key.replace('\'', '"'));
    }

    @Test
    void olderQwenFilesCallThingsAsGpt2Does() throws IOException {
        String older = TinyModels.CONFIG_QWEN
                .replace("hidden_size", "n_embd")
                .replace("num_attention_heads", "n_head")
                .replace("num_hidden_layers", "n_layer")
                .replace("intermediate_size", "ffn_hidden_size")
                .replace("seq_length", "n_positions");
        assertEquals(read(TinyModels.CONFIG_QWEN, "\"x\": 1"), read(older, "\"x\": 1"));
    }

    @Test
    void teleChat25IsRecognisedByItsClass() throws IOException {
        ModelConfig config = read(TinyModels.CONFIG_12B, "\"architectures\": [\"TeleChat2ForCausalLM\"]");
        assertEquals("TeleChat2", config.architecture().name());
    }

    @Test
    void teleChat2ReadsTheBaseOfItsRotation() throws IOException {
        ModelConfig config = read(TinyModels.CONFIG_TELECHAT2, "\"rope_theta\": 1000000");
        assertEquals(1e6, config.rope().scaling(1, 1, 1).theta());
    }
}
