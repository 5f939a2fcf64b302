// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ModelBenchmark;
import io.telechat.infer.ModelBenchmark.Rate;
import io.telechat.train.ProcessMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code telechat bench}. */
@Command(
        name = "bench",
        description = {
            "Time a model: tokens per second, and what share of the machine's own limits that is.",
            "prefill_tok_s and decode_tok_s are medians, decode is the sum over the batch; mfu and mbu are shares of"
                    + " what this machine does at most, as measured beside: above 1 where caches or clocks did better"
                    + " then."
        },
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "DIR", description = "checkpoint directory (default: $TELECHAT_MODEL)")
    private Optional<Path> directory = Optional.empty();

    @Option(names = "--prompt", paramLabel = "N", description = "tokens of the prompt (default: 512)")
    private int prompt = 512;

    @Option(names = "--generate", paramLabel = "N", description = "tokens to generate (default: 64)")
    private int generate = 64;

    @Option(names = "--depth", paramLabel = "N", description = "tokens in the cache before generating (default: 64)")
    private int depth = 64;

    @Option(
            names = "--batch",
            split = ",",
            paramLabel = "N",
            description = "sequences at once; several numbers for several measurements (default: 1)")
    private List<Integer> batches = List.of(1);

    @Option(names = "--runs", paramLabel = "N", description = "timed runs of each, after one to warm up (default: 5)")
    private int runs = 5;

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
        return modelOptions.run(
                spec, () -> ModelOptions.directory(directory), DType.BF16, RankWork.NO_INPUT, global, this::run);
    }

    private int run() {
        if (Stream.concat(Stream.of(prompt, generate, depth, runs), batches.stream())
                .anyMatch(n -> n < 1)) {
            throw new InvalidRequestException("prompt, generate, depth, batch and runs must be at least 1");
        }
        Path path = ModelOptions.directory(directory);
        long start = System.nanoTime();
        int most = batches.stream().mapToInt(n -> n).max().orElse(1);
        // Neither the last block of a prompt nor that of a sequence is full, and the prompt's is kept beside its copy.
        CacheSize cache = new CacheSize.Tokens(most * (depth + generate + most + 3 * KvLayout.BLOCK));
        try (ChatModel model = modelOptions.load(
                path, global, options -> options.cacheSize(cache).maxBatch(most))) {
            double loadSeconds = (System.nanoTime() - start) / 1e9;
            ObjectNode report = Json.object();
            report.put("model", path.toString());
            report.put("backend", model.backendDescription());
            report.put("load_s", loadSeconds);
            ModelBenchmark benchmark = new ModelBenchmark(model, runs);
            report.put("first_token_s", benchmark.firstToken());
            Rate prefill = benchmark.prefill(prompt);
            List<Rate> decodes = new ArrayList<>();
            for (int batch : batches) {
                decodes.add(benchmark.decode(batch, depth, generate));
            }
            long peakRss = peakRss(); // before the limits, which take memory of their own
            Optional<MachineLimits> limits = benchmark.limits();
            limits.ifPresent(l -> {
                report.put("read_gb_s_limit", l.readBytesPerSecond() / 1e9);
                report.put("fma_gflops_limit", l.flopsPerSecond() / 1e9);
            });
            addPrefill(benchmark, prefill, limits, report);
            long weightBytes = benchmark.weightBytes();
            report.put("weight_bytes", weightBytes);
            report.put("cache_bytes", most * benchmark.cacheBytes(depth + generate));
            ArrayNode list = Json.array();
            for (int i = 0; i < batches.size(); i++) {
                list.add(decode(benchmark, batches.get(i), decodes.get(i), weightBytes, limits));
            }
            report.setAll((ObjectNode) list.get(0));
            report.set("batches", list);
            report.put("peak_rss_mib", peakRss);
            report.put("threads", benchmark.threads());
            report.put("java", System.getProperty("java.vm.version"));
            if (!json) {
                report.properties().stream()
                        .filter(f -> f.getValue().isValueNode())
                        .forEach(f -> System.out.printf(
                                "%-20s %s%n",
                                f.getKey(),
                                f.getValue().isDouble()
                                        ? "%.2f".formatted(f.getValue().doubleValue())
                                        : f.getValue().asText()));
            }
            if (json) {
                System.out.println(Json.line(report));
            }
            modelOptions.report(model);
        }
        return ExitCode.OK;
    }

    private void addPrefill(ModelBenchmark benchmark, Rate rate, Optional<MachineLimits> limits, ObjectNode report) {
        double flops = 2.0 * benchmark.activeParameters() * rate.median();
        report.put("prompt", prompt);
        report.put("prefill_tok_s", rate.median());
        report.put("prefill_tok_s_min", rate.min());
        report.put("prefill_tok_s_max", rate.max());
        report.put("prefill_gflops", flops / 1e9);
        limits.ifPresent(l -> report.put("mfu", flops / l.flopsPerSecond()));
    }

    private ObjectNode decode(
            ModelBenchmark benchmark, int batch, Rate rate, long weightBytes, Optional<MachineLimits> limits) {
        double bytes = weightBytes + (double) batch * benchmark.cacheBytes(depth + generate / 2);
        double bytesPerSecond = bytes * rate.median() / batch;
        ObjectNode result = Json.object();
        result.put("batch", batch);
        result.put("depth", depth);
        result.put("generate", generate);
        result.put("decode_tok_s", rate.median());
        result.put("decode_tok_s_min", rate.min());
        result.put("decode_tok_s_max", rate.max());
        result.put("decode_gb_s", bytesPerSecond / 1e9);
        limits.ifPresent(l -> result.put("mbu", bytesPerSecond / l.readBytesPerSecond()));
        return result;
    }

    /** The most memory that this process has had, as Linux counts it, in MiB; -1 elsewhere. */
    private static long peakRss() {
        long bytes = ProcessMemory.peakBytes();
        return bytes == 0 ? -1 : bytes >> 20;
    }
}
