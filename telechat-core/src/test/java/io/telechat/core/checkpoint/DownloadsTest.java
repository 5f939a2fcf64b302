// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Git or a browser leaves in place of a large file is told from a damaged one. */
class DownloadsTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "version https://git-lfs.github.com/spec/v1\\noid sha256:1\\nsize 5 | run git lfs pull",
                "<!DOCTYPE html><html><head><title>Not found</title> | is text",
                "Entry not found, and more of it | is text"
            })
    void safetensorsPyTorchAndJsonFilesAreRecognised(String text, String part) throws IOException {
        for (String name : new String[] {"model.safetensors", "pytorch_model.bin"}) {
            Path folder = Files.createTempDirectory(directory, "one");
            Files.writeString(folder.resolve(name), text.replace("\\n", "\n"));
            String message = assertThrows(InvalidModelException.class, () -> Checkpoint.open(folder))
                    .getMessage();
            assertTrue(message.contains(name) && message.contains(part), message);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"version https://git-lfs.github.com/spec/v1 | git lfs pull", "<html> | web page"})
    void soIsJson(String text, String part) throws IOException {
        Path file = Files.writeString(directory.resolve("config.json"), text);
        String message = assertThrows(InvalidModelException.class, () -> JsonFiles.readObject(file))
                .getMessage();
        assertTrue(message.contains(part), message);
    }
}
