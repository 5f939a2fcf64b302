// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.GgufExporter;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat convert}. */
@Command(
        name = "convert",
        description = {
            "Write a model as a GGUF file for llama.cpp and what is built on it: Llama, Qwen2, Qwen3.",
            "Tokenizer and chat template go with it. The other way needs no conversion: all commands take a GGUF file"
                    + " in place of a directory."
        },
        mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "DIR", description = "checkpoint directory or GGUF file")
    private Path model;

    @Parameters(index = "1", paramLabel = "FILE", description = "GGUF file to write")
    private Path out;

    @Option(
            names = "--to",
            paramLabel = "TYPE",
            converter = GgufTypeConverter.class,
            completionCandidates = GgufTypeConverter.class,
            description = "f32, f16, bf16, or q8_0 (8.5 bits) for the matrices (default: as they are stored)")
    private Optional<GgufType> to = Optional.empty();

    @Option(names = "--threads", paramLabel = "N", description = "threads (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws IOException {
        Path from = ModelOptions.found(model);
        try (ModelLoader.Checked checked = ModelLoader.check(from, Optional.of(DType.F32));
                WorkerTeam workers = new WorkerTeam(threads)) {
            GgufType type = to.orElseGet(() -> stored(checked));
            ProgressBar progress = new ProgressBar(Message.of("writing"), global.quiet);
            new GgufExporter(type, workers, progress).write(checked, from, out);
            long bytes = Files.size(out);
            if (json) {
                System.out.println(Json.line(Json.object()
                        .put("model", from.toString())
                        .put("out", out.toString())
                        .put("type", type.name())
                        .put("bytes", bytes)));
            } else {
                System.out.printf("%s: %s, %s%n", out, type, MemoryPlan.gib(bytes));
            }
            return ExitCode.OK;
        }
    }

    /** The type of the embedding, which most matrices have. */
    private static GgufType stored(ModelLoader.Checked checked) {
        return switch (checked.checkpoint()
                .dtype(checked.config().architecture().embeddingName(checked.config()))) {
            case F16 -> GgufType.F16;
            case BF16 -> GgufType.BF16;
            case Q8, Q4 -> GgufType.Q8_0;
            default -> GgufType.F32;
        };
    }
}
