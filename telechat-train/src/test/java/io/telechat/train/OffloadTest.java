// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentType;
import io.telechat.train.zero.ZeroStage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the optimizer keeps in files is what it keeps in memory. */
class OffloadTest {
    @TempDir
    static Path directory;

    private static TinyRun run(DType dtype, MomentType moments, Optional<Path> files) throws IOException {
        AdamW.Settings settings = AdamW.Settings.reference(0.1).withState(moments);
        TinyRun run = new TinyRun(directory)
                .batch(2, 1)
                .maxSteps(4)
                .optimizer(files.map(settings::offloadedTo).orElse(settings));
        run.method = new TuningMethod.Full(dtype, Rounding.STOCHASTIC);
        return run;
    }

    private static void train(TinyRun run, int ranks, ZeroStage stage) {
        LocalRanks.run(ranks, Duration.ofSeconds(60), communicator -> {
            try (TrainRun opened = TrainRun.open(run.config(), new Parallelism(communicator, stage))) {
                opened.run(run.recorder(new ArrayList<>()));
            }
        });
    }

    @ParameterizedTest
    @CsvSource({
        "F32, F32, 1, NOTHING",
        "BF16, F32, 1, NOTHING",
        "BF16, EIGHT_BIT, 1, NOTHING",
        "BF16, EIGHT_BIT, 2, OPTIMIZER",
        "BF16, F32, 2, PARAMETERS",
        "F32, EIGHT_BIT, 3, PARAMETERS"
    })
    void filesGiveTheSameBits(DType dtype, MomentType moments, int ranks, ZeroStage stage) throws IOException {
        Path files = Files.createTempDirectory(directory, "offload");
        TinyRun inMemory = run(dtype, moments, Optional.empty());
        TinyRun inFiles = run(dtype, moments, Optional.of(files));
        train(inMemory, ranks, stage);
        train(inFiles, ranks, stage);
        for (String name : List.of("model.safetensors", "optimizer.safetensors")) {
            assertArrayEquals(
                    Files.readAllBytes(inMemory.checkpoint(4).resolve(name)),
                    Files.readAllBytes(inFiles.checkpoint(4).resolve(name)),
                    name);
        }
        try (Stream<Path> left = Files.list(files)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void aDirectoryThatCannotBeWrittenIsTold() throws IOException {
        Path file = Files.createTempFile(directory, "no", "directory");
        TinyRun run = run(DType.BF16, MomentType.F32, Optional.of(file));
        String message = assertThrows(InvalidModelException.class, () -> train(run, 1, ZeroStage.NOTHING))
                .getMessage();
        assertTrue(message.contains("--offload"), message);
    }
}
