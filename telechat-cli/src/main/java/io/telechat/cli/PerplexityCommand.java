// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.TextFiles;
import io.telechat.core.tensor.DType;
import io.telechat.infer.ChatModel;
import io.telechat.infer.Perplexity;
import io.telechat.infer.Perplexity.Windows;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code telechat perplexity}. */
@Command(
        name = "perplexity",
        description = {
            "How well a model predicts a text: perplexity, nats per token, bits per byte.",
            "Every token but the first is predicted once, from those before it in its window. Of each window, those"
                    + " count that the one before does not have: the strided perplexity of transformers' documentation."
                    + " llama.cpp's windows do not overlap, and the second half of each counts; its figures are others."
        },
        mixinStandardHelpOptions = true)
final class PerplexityCommand implements Callable<Integer> {
    private static final int WINDOW = 2_048;

    @Parameters(index = "0", paramLabel = "MODEL", description = "checkpoint directory")
    private Path model;

    @Parameters(index = "1", paramLabel = "FILE", description = "text in UTF-8; - for stdin")
    private Path file;

    @Option(
            names = "--window",
            paramLabel = "N",
            description = "tokens of a window (default: 2048, or the context if that is less)")
    private Optional<Integer> window = Optional.empty();

    @Option(
            names = "--stride",
            paramLabel = "N",
            description = "how many tokens behind the one before a window begins (default: half of a window)")
    private Optional<Integer> stride = Optional.empty();

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private AdaptedModelOptions modelOptions;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        return modelOptions.run(spec, () -> ModelOptions.found(model), DType.F32, RankWork.INPUT, global, this::run);
    }

    private int run() {
        window.ifPresent(this::windows); // what is wrong with it is told at once
        String text = file.toString().equals("-") ? StandardStreams.readInput() : TextFiles.read(file);
        try (ChatModel loaded = modelOptions.load(ModelOptions.found(model), DType.F32, global)) {
            int[] tokens = loaded.chatTokenizer().document(text);
            Windows windows = windows(window.orElse(Math.min(WINDOW, loaded.contextLength())));
            ProgressBar progress = ProgressBar.counting(Message.of("predicting"), 0, global.quiet);
            long start = System.nanoTime();
            Perplexity found = Perplexity.of(
                    loaded,
                    tokens,
                    text.getBytes(StandardCharsets.UTF_8).length,
                    windows,
                    done -> progress.loaded(done, tokens.length - 1));
            double seconds = (System.nanoTime() - start) / 1e9;
            if (json) {
                System.out.println(Json.line(report(found, windows, seconds)));
            } else {
                print(found);
            }
            modelOptions.report(loaded);
            return ExitCode.OK;
        }
    }

    private Windows windows(int length) {
        return stride.map(n -> new Windows(length, n)).orElseGet(() -> Windows.of(length));
    }

    private ObjectNode report(Perplexity found, Windows windows, double seconds) {
        ObjectNode report = Json.object();
        report.put("model", model.toString()).put("file", file.toString());
        report.put("window", windows.length()).put("stride", windows.stride());
        report.put("tokens", found.tokens()).put("bytes", found.bytes());
        report.put("nats_per_token", found.nats());
        report.put("perplexity", found.perplexity());
        if (found.tokens() > 1) {
            report.put("nats_per_token_stderr", found.natsError());
            report.put("perplexity_stderr", found.perplexityError());
        }
        report.put("bits_per_byte", found.bitsPerByte());
        return report.put("seconds", seconds);
    }

    private static void print(Perplexity found) {
        String error = found.tokens() > 1 ? " ± %.4f" : "";
        System.out.printf("%-20s %,d%n", "tokens", found.tokens());
        System.out.printf("%-20s %.4f" + error + "%n", "nats per token", found.nats(), found.natsError());
        System.out.printf("%-20s %.4f" + error + "%n", "perplexity", found.perplexity(), found.perplexityError());
        System.out.printf("%-20s %.4f%n", "bits per byte", found.bitsPerByte());
    }
}
