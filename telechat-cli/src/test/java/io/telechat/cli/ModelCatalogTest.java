// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The folders as huggingface_hub, modelscope and people lay them out. */
class ModelCatalogTest {
    @TempDir
    private Path directory;

    private ModelCatalog catalog;

    @BeforeEach
    void make() throws IOException {
        checkpoint("mine/tuned", "model.safetensors");
        checkpoint("theirs", "pytorch_model-00001-of-00002.bin");
        checkpoint("hf/hub/models--Tele-AI--TeleChat2-3B/snapshots/0123abc", "model-00001-of-00002.safetensors");
        checkpoint("ms/hub/models/TeleAI/TeleChat2___5-35B", "model.safetensors");
        checkpoint("ms/hub/models/TeleAI/TeleChat2-3B", "model.safetensors");
        Files.createDirectories(directory.resolve("mine/empty"));
        Files.writeString(directory.resolve("mine/empty/config.json"), "{}");
        Files.createSymbolicLink(directory.resolve("mine/round"), directory.resolve("mine"));
        catalog = new ModelCatalog(Map.of(
                "TELECHAT_MODELS", directory.resolve("mine") + File.pathSeparator + directory.resolve("theirs"),
                "HF_HOME", directory.resolve("hf").toString(),
                "MODELSCOPE_CACHE", directory.resolve("ms").toString()));
    }

    private void checkpoint(String name, String weights) throws IOException {
        Path made = Files.createDirectories(directory.resolve(name));
        Files.writeString(made.resolve("config.json"), "{}");
        Files.writeString(made.resolve(weights), "");
    }

    @Test
    void namesWhatItFinds() {
        assertEquals(
                List.of("Tele-AI/TeleChat2-3B", "TeleAI/TeleChat2-3B", "TeleAI/TeleChat2.5-35B", "theirs", "tuned"),
                catalog.entries().stream().map(ModelCatalog.Entry::name).toList());
    }

    @Test
    void findsByNameAndByItsEndWhereThatIsEnough() {
        assertEquals(Optional.of(directory.resolve("mine/tuned")), catalog.find("tuned"));
        assertEquals(
                Optional.of(directory.resolve("ms/hub/models/TeleAI/TeleChat2___5-35B")),
                catalog.find("TeleChat2.5-35B"));
        assertEquals(
                Optional.of(directory.resolve("hf/hub/models--Tele-AI--TeleChat2-3B/snapshots/0123abc")),
                catalog.find("Tele-AI/TeleChat2-3B"));
        assertEquals(Optional.empty(), catalog.find("TeleChat2-3B"), "two organisations have it");
        assertEquals(Optional.empty(), catalog.find("none"));
    }
}
