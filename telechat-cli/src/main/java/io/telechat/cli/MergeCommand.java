// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.CompanionFiles;
import io.telechat.core.checkpoint.DirectoryTree;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.lora.LoraMerge;
import io.telechat.core.tensor.DType;
import io.telechat.core.tokenizer.TokenizerFiles;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.workers.WorkerTeam;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.PredictionComparison;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat merge}. */
@Command(
        name = "merge",
        description = {
            "Add a LoRA adapter to the weights of a model for good.",
            "The result is kept only if its logits are those of the model with the adapter beside it."
        },
        mixinStandardHelpOptions = true)
final class MergeCommand implements Callable<Integer> {
    private static final int SAMPLE_TOKENS = 64;
    /** By the largest logit: sums in another order. */
    private static final double FLOAT_TOLERANCE = 1e-4;
    /** Likewise, where the merged weights are rounded to 16 bits. */
    private static final double HALF_TOLERANCE = 0.05;

    @Parameters(index = "0", paramLabel = "DIR", description = "checkpoint directory")
    private Path model;

    @Parameters(index = "1", paramLabel = "ADAPTER", description = "directory of the adapter, in PEFT's format")
    private Path adapter;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "directory to make")
    private Path out;

    @Option(names = "--unmerge", description = "take the adapter off weights that it was merged into")
    private boolean unmerge;

    @Option(names = "--threads", paramLabel = "N", description = "threads (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws IOException {
        model = ModelOptions.found(model);
        if (Files.exists(out)) {
            throw new InvalidRequestException("%s: is there already; choose another --out", out);
        }
        Path temporary = out.toAbsolutePath().resolveSibling("." + out.getFileName() + ".tmp");
        try {
            DirectoryTree.delete(temporary);
            Files.createDirectories(temporary);
            DType dtype = write(temporary);
            // The model with the adapter beside it is, of the two, the one that is not made of merged weights.
            PredictionComparison comparison = unmerge ? compare(temporary, model) : compare(model, temporary);
            double tolerance = dtype == DType.F32 ? FLOAT_TOLERANCE : HALF_TOLERANCE;
            if (!(comparison.maxDifference() <= tolerance)) {
                throw new InvalidModelException(
                        "%s: the merged logits differ by %.2e of the largest, more than %.0e; not kept",
                        out, comparison.maxDifference(), tolerance);
            }
            Files.move(temporary, out, StandardCopyOption.ATOMIC_MOVE);
            print(comparison);
            return ExitCode.OK;
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", out, IoReason.of(e));
        } finally {
            DirectoryTree.delete(temporary);
        }
    }

    private DType write(Path to) throws IOException {
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                LoraFiles files = LoraFiles.read(adapter);
                WorkerTeam workers = new WorkerTeam(threads)) {
            LoraMerge.write(checked, files, adapter, to, unmerge ? -1 : 1, workers);
            CompanionFiles.copyConfig(model, to);
            TokenizerFiles.copy(model, to);
            String module = files.modules().keySet().iterator().next();
            return checked.checkpoint().dtype(module + ".weight");
        }
    }

    private PredictionComparison compare(Path plain, Path merged) {
        LoadOptions.Builder options = LoadOptions.builder().threads(threads).activations(DType.F32);
        try (ChatModel within = ChatModel.load(merged, options.build());
                ChatModel beside =
                        ChatModel.load(plain, options.adapter(adapter).build())) {
            int vocabulary = beside.info().vocabSize();
            int[] sample =
                    new SplittableRandom(1).ints(SAMPLE_TOKENS, 0, vocabulary).toArray();
            return PredictionComparison.of(beside, within, sample);
        }
    }

    private void print(PredictionComparison comparison) {
        if (json) {
            System.out.println(Json.line(Json.object()
                    .put("out", out.toString())
                    .put("max_difference", comparison.maxDifference())
                    .put("kl_mean", comparison.meanKl())));
        } else {
            System.out.printf(
                    "%s: logits differ from those of model and adapter by at most %.1e of the largest (%d tokens)%n",
                    out, comparison.maxDifference(), comparison.tokens());
        }
    }
}
