// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class ConfigFileOptionsTest {
    @TempDir
    private Path directory;

    private List<String> expand(String yaml) throws IOException {
        Path file = Files.writeString(directory.resolve("run.yaml"), yaml);
        return ConfigFileOptions.expand(
                List.of("train", "--config", file.toString(), "--seed", "7"),
                Map.of("train", new CommandLine(new TrainCommand())));
    }

    @Test
    void theFileComesBeforeTheCommandLine() throws IOException {
        assertEquals(
                List.of("train", "--learning-rate", "1.0E-4", "--gradient-checkpointing", "--seed", "7"),
                expand("learning_rate: 1e-4\ngradient-checkpointing: true\n"));
    }

    @ParameterizedTest
    @CsvSource({
        "learning_rat, there is no option learning_rat; did you mean learning-rate?",
        "gradient_checkpoint, there is no option gradient_checkpoint; did you mean gradient-checkpointing?",
        "optimiser-state, there is no option optimiser-state; did you mean optimizer-state?",
        "fp16, there is no option fp16"
    })
    void aKeyThatIsMisspeltIsToldWithTheNearest(String key, String message) {
        assertEquals(
                directory.resolve("run.yaml") + ": " + message,
                assertThrows(InvalidRequestException.class, () -> expand(key + ": 1\n"))
                        .getMessage());
    }
}
