// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters as PEFT describes them: what would change the result is obeyed, or refused by name. */
class LoraConfigTest {
    private static final String QUERY = "transformer.h.3.self_attention.query";

    @TempDir
    private Path directory;

    private Path adapter(String more, float value) throws IOException {
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        String prefix = "base_model.model." + QUERY;
        entries.put(prefix + ".lora_A.weight", new SafetensorsWriter.Entry(DType.F32, Shape.of(2, 4)));
        entries.put(prefix + ".lora_B.weight", new SafetensorsWriter.Entry(DType.F32, Shape.of(4, 2)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve(LoraFiles.WEIGHTS), entries)) {
            writer.tensor(prefix + ".lora_B.weight").setFloat(3, value);
            writer.commit();
        }
        Files.writeString(
                directory.resolve(LoraFiles.CONFIG),
                "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4, \"target_modules\": [\"query\"], %s}"
                        .formatted(more));
        return directory;
    }

    @ParameterizedTest
    @CsvSource({"query, 32", "self_attention.query, 32", "'h\\.[0-3]\\..*', 32", "key_value, 2", "uery, 2"})
    void anAlphaOfItsOwnIsFoundByTheEndOfTheName(String key, double scale) {
        LoraConfig config =
                new LoraConfig(2, 4, Map.of(key, 64.0), false, 0, LoraSelection.of(List.of("query", "key_value")));
        assertEquals(scale, config.scale(QUERY));
    }

    @Test
    void targetsMayBeAnExpressionForWholeNames() {
        LoraSelection targets = new LoraSelection(
                List.of(), Optional.of(".*self_attention\\.(query|key_value)"), List.of(), Optional.empty(), Set.of());
        assertTrue(targets.contains(QUERY));
        assertTrue(!targets.contains(QUERY + "x"));
        assertThrows(
                InvalidRequestException.class,
                () -> new LoraSelection(List.of(), Optional.of("("), List.of(), Optional.empty(), Set.of()));
    }

    @Test
    void layersAndExclusionsNarrowTheTargets() {
        LoraSelection targets = new LoraSelection(
                List.of("query"),
                Optional.empty(),
                List.of("h.5.self_attention.query"),
                Optional.empty(),
                Set.of(3, 5));
        assertTrue(targets.contains(QUERY));
        assertTrue(!targets.contains(QUERY.replace("3", "4")));
        assertTrue(!targets.contains(QUERY.replace("3", "5")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'use_dora': true",
                "'rank_pattern': {'query': 4}",
                "'layer_replication': [[0, 2]]",
                "'modules_to_save': ['lm_head']",
                "'bias': 'all'",
                "'lora_bias': true",
                "'init_lora_weights': 'pissa_niter_4'",
                "'alpha_pattern': {'query': 'much'}"
            })
    void whatIsNotComputedIsRefusedByName(String key) {
        String message = assertThrows(
                        InvalidModelException.class, () -> LoraFiles.read(adapter(key.replace('\'', '"'), 1)))
                .getMessage();
        assertTrue(message.contains(key.substring(1, key.indexOf('\'', 1))), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"'use_dora': false", "'init_lora_weights': true", "'revision': null", "'fan_in_fan_out': true"})
    void whatAsksForNothingPasses(String key) throws IOException {
        LoraFiles.read(adapter(key.replace('\'', '"'), 1)).close();
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void valuesThatAreNoNumbersAreRefused(float value) {
        assertThrows(InvalidModelException.class, () -> LoraFiles.read(adapter("\"x\": 0", value)));
    }

    @Test
    void anAdapterIsWrittenAsItWasRead() throws IOException {
        Path copy = Files.createDirectory(directory.resolve("copy"));
        String more = "\"alpha_pattern\": {\"h.3.self_attention.query\": 64}, \"layers_to_transform\": [3]";
        try (LoraFiles files = LoraFiles.read(adapter(more, 1))) {
            LoraFiles.write(copy, Optional.empty(), files.config(), files.modules(), false);
            try (LoraFiles again = LoraFiles.read(copy)) {
                assertEquals(files.config(), again.config());
            }
        }
    }
}
