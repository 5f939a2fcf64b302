// SPDX-License-Identifier: Apache-2.0
import io.telechat.core.weights.LoadProgress;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import io.telechat.infer.LoadOptions;
import io.telechat.train.TrainConfig;
import io.telechat.train.TrainRun;
import io.telechat.train.TuningMethod;
import io.telechat.train.data.DataOptions;
import io.telechat.train.data.DataProcessor;
import java.nio.file.Path;

/** Trains an adapter on dialogs and talks to the model with it: {@code FineTune DIR DIALOGS.jsonl OUTPUT STEPS}. */
public final class FineTune {
    public static void main(String[] arguments) {
        Path checkpoint = Path.of(arguments[0]);
        Path output = Path.of(arguments[2]);
        Path samples = output.resolve("samples");
        int steps = Integer.parseInt(arguments[3]);

        DataOptions data = DataOptions.of(Path.of(arguments[1]), checkpoint, samples, 256);
        new DataProcessor(data, LoadProgress.SILENT).run();

        TrainConfig config = TrainConfig.of(checkpoint, samples, output.resolve("run"))
                .withMethod(TuningMethod.Lora.of(8, 16))
                .withRate(TrainConfig.Rate.STANDARD.withPeak(1e-3))
                .withLength(TrainConfig.Length.STANDARD.withEpochs(100).withMaxSteps(steps));
        try (TrainRun run = TrainRun.open(config)) {
            run.run(step -> System.out.printf("step %d: loss %.3f%n", step.step(), step.loss()));
        }

        Path adapter = output.resolve("run/checkpoint-" + steps);
        LoadOptions options = LoadOptions.builder().adapter(adapter).build();
        try (ChatModel model = ChatModel.load(checkpoint, options);
                ChatSession session = model.newSession()) {
            System.out.println(session.send("Hello!").text());
        }
    }
}
