// SPDX-License-Identifier: Apache-2.0
package snippets;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.LoadProgress;
import io.telechat.train.RunEnd;
import io.telechat.train.TrainConfig;
import io.telechat.train.TrainRun;
import io.telechat.train.TuningMethod;
import io.telechat.train.data.DataOptions;
import io.telechat.train.data.DataProcessor;
import io.telechat.train.data.DataReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documentation shows, run: dialogs become samples, and these an adapter. */
class TrainSnippetsTest {
    @TempDir
    static Path directory;

    private static Path checkpoint;
    private static Path dialogs;

    @BeforeAll
    static void make() throws IOException {
        checkpoint = TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 2);
        dialogs = directory.resolve("dialogs.jsonl");
        Files.writeString(dialogs, "{\"input\": \"one\", \"output\": \"two\"}\n".repeat(80));
    }

    @Test
    void fineTunes() {
        Path samples = directory.resolve("samples");
        Path output = directory.resolve("run");
        // @start region="data"
        DataOptions options = DataOptions.of(dialogs, checkpoint, samples, 128);
        DataReport report =
                new DataProcessor(options, LoadProgress.SILENT).run().orElseThrow();
        System.out.println(report.trainedTokens() + " tokens to train");
        // @end
        // @start region="train"
        TrainConfig config = TrainConfig.of(checkpoint, samples, output)
                .withMethod(TuningMethod.Lora.of(8, 16))
                .withRate(TrainConfig.Rate.STANDARD.withPeak(1e-3))
                .withLength(TrainConfig.Length.STANDARD.withMaxSteps(3).withEvaluation(0.2, 3));
        try (TrainRun run = TrainRun.open(config)) {
            System.out.println("loss of what is kept back: " + run.evaluate());
            RunEnd end = run.run(step -> System.out.println(step.step() + ": " + step.loss()));
            System.out.println(end + ", now " + run.evaluate());
        }
        // @end
        assertTrue(report.trainedTokens() > 0);
        assertTrue(Files.exists(output.resolve("checkpoint-3")));
    }
}
