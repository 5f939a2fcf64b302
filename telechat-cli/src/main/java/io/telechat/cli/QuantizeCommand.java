// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.checkpoint.CompanionFiles;
import io.telechat.core.checkpoint.DirectoryTree;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.TextFiles;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.tensor.DType;
import io.telechat.core.tokenizer.TokenizerFiles;
import io.telechat.core.weights.CheckpointQuantizer;
import io.telechat.core.weights.CheckpointQuantizer.Result;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.workers.WorkerTeam;
import io.telechat.eval.report.Comparison;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.PredictionComparison;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat quantize}. */
@Command(
        name = "quantize",
        description = {
            "Round the weights of a checkpoint to 8 or 4 bits, and say what that costs.",
            "All matrices are rounded, embedding and head included; norms and biases stay as they are. -v lists every"
                    + " tensor."
        },
        mixinStandardHelpOptions = true)
final class QuantizeCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "DIR", description = "checkpoint directory (default: $TELECHAT_MODEL)")
    private Optional<Path> directory = Optional.empty();

    @Option(
            names = "--to",
            required = true,
            paramLabel = "TYPE",
            converter = DTypeConverter.Quantized.class,
            completionCandidates = DTypeConverter.Quantized.class,
            description = "q8 (8.25 bits) or q4 (4.25 bits)")
    private DType to;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "directory to make")
    private Path out;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "compare the predictions of both models over this text: perplexity and KL divergence")
    private Optional<Path> text = Optional.empty();

    @Mixin
    private TaskScoresOptions scores;

    @Option(names = "--threads", paramLabel = "N", description = "threads (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws IOException {
        Path from = ModelOptions.directory(directory);
        if (Files.exists(out.resolve("config.json"))) {
            throw new InvalidModelException("%s: there is a model already; choose another --out", out);
        }
        Optional<int[]> compared = text.map(file -> tokens(from, file));
        boolean scored = scores.check();
        boolean made = Files.notExists(out);
        try {
            List<Result> results = quantize(from);
            ObjectNode report = report(from, results);
            compared.ifPresent(tokens -> addComparison(report, from, tokens));
            made = false;
            Optional<Comparison> tasks =
                    scored ? Optional.of(scores.compare(from, out, precise(), global.quiet)) : Optional.empty();
            tasks.ifPresent(t -> report.set("scores", t.json()));
            if (json) {
                System.out.println(Json.line(report));
            } else {
                print(report, results);
                tasks.ifPresent(t -> System.out.print(t.text()));
            }
            return ExitCode.OK;
        } finally {
            if (made) {
                DirectoryTree.delete(out); // half a model would be taken for one
            }
        }
    }

    /** Read before anything is written: what is wrong with the text is told at once. */
    private static int[] tokens(Path model, Path file) {
        int[] tokens = ChatTokenizer.load(model).document(TextFiles.read(file));
        if (tokens.length < 2) {
            throw new InvalidInputException(
                    "%s: has %d tokens; at least 2 are needed to compare predictions", file, tokens.length);
        }
        return tokens;
    }

    private List<Result> quantize(Path from) {
        try (ModelLoader.Checked checked = ModelLoader.check(from, Optional.of(DType.F32)); // of GGUF, exactly
                WorkerTeam workers = new WorkerTeam(threads)) {
            ProgressBar progress = new ProgressBar(Message.of("quantizing"), global.quiet);
            List<Result> results = new CheckpointQuantizer(to, workers, progress).write(checked, out);
            TokenizerFiles.copy(from, out);
            CompanionFiles.copyConfig(from, out);
            return results;
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", out, IoReason.of(e));
        }
    }

    private ObjectNode report(Path from, List<Result> results) {
        ObjectNode report = Json.object();
        report.put("model", from.toString());
        report.put("out", out.toString());
        report.put("to", to.toString());
        report.put(
                "bytes_before", results.stream().mapToLong(Result::bytesBefore).sum());
        report.put("bytes_after", results.stream().mapToLong(Result::bytesAfter).sum());
        ArrayNode tensors = report.putArray("tensors");
        for (Result result : results) {
            tensors.addObject()
                    .put("name", result.name())
                    .put("from", result.from().toString())
                    .put("to", result.to().toString())
                    .put("bytes", result.bytesAfter())
                    .put("relative_error", result.error());
        }
        return report;
    }

    private void addComparison(ObjectNode report, Path from, int[] tokens) {
        LoadOptions options = precise().build();
        try (ChatModel original = ChatModel.load(from, options);
                ChatModel quantized = ChatModel.load(out, options)) {
            PredictionComparison comparison = PredictionComparison.of(original, quantized, tokens);
            report.putObject("comparison")
                    .put("tokens", comparison.tokens())
                    .put("perplexity_before", comparison.perplexity())
                    .put("perplexity_after", comparison.otherPerplexity())
                    .put("kl_mean", comparison.meanKl())
                    .put("kl_max", comparison.maxKl())
                    .put("same_top_token", comparison.sameTop());
        }
    }

    /** So that it is the weights alone that differ. */
    private LoadOptions.Builder precise() {
        return LoadOptions.builder().threads(threads).activations(DType.F32);
    }

    private static String rounded(JsonNode value) {
        return value.isDouble() ? "%.4g".formatted(value.doubleValue()) : value.asText();
    }

    private void print(ObjectNode report, List<Result> results) {
        for (Result r : global.verbose ? results : List.<Result>of()) {
            System.out.printf(
                    "%-50s %-4s -> %-4s %12s  relative error %.5f%n",
                    r.name(), r.from(), r.to(), MemoryPlan.gib(r.bytesAfter()), r.error());
        }
        results.stream()
                .filter(r -> r.error() > 0)
                .max(Comparator.comparingDouble(Result::error))
                .ifPresent(worst -> System.out.printf(
                        "%,d tensors, %,d of them rounded to %s; relative error %.3f at most (%s)%n",
                        results.size(),
                        results.stream().filter(r -> r.error() > 0).count(),
                        to,
                        worst.error(),
                        worst.name()));
        long before = report.get("bytes_before").asLong();
        long after = report.get("bytes_after").asLong();
        System.out.printf(
                "%s: %s, was %s (%.1f %%)%n",
                out, MemoryPlan.gib(after), MemoryPlan.gib(before), 100.0 * after / before);
        if (report.has("comparison")) {
            report.get("comparison")
                    .properties()
                    .forEach(f -> System.out.printf("%-20s %s%n", f.getKey().replace('_', ' '), rounded(f.getValue())));
        }
    }
}
