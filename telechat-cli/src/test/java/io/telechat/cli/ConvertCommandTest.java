// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class ConvertCommandTest {
    @TempDir
    Path directory;

    private Program.Result run(String... arguments) throws Exception {
        return Program.run(directory, new byte[0], arguments);
    }

    @Test
    void whatIsWrittenIsAModelForEveryCommand() throws Exception {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_LLAMA, 2);
        Path file = directory.resolve("model.gguf");
        Program.Result written = run("convert", model.toString(), file.toString());
        assertEquals(0, written.code(), written.err());
        assertTrue(written.out().contains("model.gguf: F32, "), written.out());

        String[] generate = {"generate", "--tokens", "5,6,7", "--max-new-tokens", "8", "--greedy"};
        Program.Result before = run(with(generate, model));
        Program.Result after = run(with(generate, file));
        assertEquals(0, before.code(), before.err());
        assertEquals(before.out(), after.out());

        Path rounded = directory.resolve("rounded");
        Program.Result quantized = run("quantize", file.toString(), "--to", "q8", "--out", rounded.toString());
        assertEquals(0, quantized.code(), quantized.err());
        assertTrue(Files.exists(rounded.resolve("config.json")));
        assertTrue(Files.exists(rounded.resolve("tokenizer.model")));
        assertEquals(0, run("info", rounded.toString()).code());
    }

    private static String[] with(String[] command, Path model) {
        String[] all = Arrays.copyOf(command, command.length + 1);
        all[command.length] = model.toString();
        return all;
    }

    @Test
    void whatLlamaCppDoesNotKnowIsRefused() throws Exception {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_12B, 2);
        Path file = directory.resolve("model.gguf");
        Program.assertError(3, "its model_type is 'telechat'", run("convert", model.toString(), file.toString()));
        assertFalse(Files.exists(file));
    }
}
