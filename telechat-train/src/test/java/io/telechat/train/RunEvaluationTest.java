// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.LoadProgress;
import io.telechat.train.data.DataOptions;
import io.telechat.train.data.DataProcessor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunEvaluationTest {
    @TempDir
    private Path directory;

    private TrainConfig config(double share) throws IOException {
        Path model = TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 2);
        Path dialogs = directory.resolve("dialogs.jsonl");
        Files.writeString(dialogs, "{\"input\": \"one\", \"output\": \"two\"}\n".repeat(80));
        Path samples = directory.resolve("samples");
        new DataProcessor(DataOptions.of(dialogs, model, samples, 128), LoadProgress.SILENT).run();
        return TrainConfig.of(model, samples, directory.resolve("run"))
                .withRate(TrainConfig.Rate.STANDARD.withPeak(1e-2))
                .withLength(TrainConfig.Length.STANDARD.withMaxSteps(2).withEvaluation(share, 2));
    }

    @Test
    void isWhatTheRunItselfMeasures() throws IOException {
        List<Double> heard = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void step(StepReport report) {
                // Evaluations tell.
            }

            @Override
            public void evaluated(long step, double loss) {
                heard.add(loss);
            }
        };
        try (TrainRun run = TrainRun.open(config(0.2))) {
            double before = run.evaluate();
            run.run(listener);
            assertEquals(List.of(run.evaluate()), heard);
            assertTrue(heard.getFirst() < before, heard + " after " + before);
        }
    }

    @Test
    void wantsSamplesThatAreKeptBack() throws IOException {
        try (TrainRun run = TrainRun.open(config(0))) {
            assertThrows(InvalidRequestException.class, run::evaluate);
        }
    }
}
