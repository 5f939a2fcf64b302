// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.train.data.DataFormat;
import io.telechat.train.data.DataOptions;
import io.telechat.train.data.DataProcessor;
import io.telechat.train.data.DataRecipe;
import io.telechat.train.data.DataReport;
import io.telechat.train.data.LongDialogs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code telechat process-data}. */
@Command(
        name = "process-data",
        description = {
            "Make packed, masked training samples of weighted files of dialogs.",
            "Files may be JSON lines, JSON, CSV, TSV, Parquet or plain text, compressed by gzip, zstd, xz or bzip2;"
                    + " records input and output, messages, ShareGPT's, Alpaca's, prompt and response, or text."
        },
        sortOptions = false,
        footer = {
            "",
            "Example: telechat process-data --data-path dialogs.parquet --tokenizer-path TeleChat-12B"
                    + " --data-output-path data"
        },
        mixinStandardHelpOptions = true)
final class ProcessDataCommand implements Callable<Integer> {
    private static final String ONE_GIBIBYTE = "1GiB";

    /** As the reference names them. */
    enum Method {
        SINGLE,
        MULTIPLE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Which answers are trained. */
    enum Answers {
        LAST,
        ALL;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--data-path",
            required = true,
            paramLabel = "FILE",
            description =
                    "a file of dialogs; or JSON that maps files (or patterns such as more/*.jsonl) to weights; or a"
                            + " curriculum: {\"stages\": [{\"share\": 0.7, \"data\": {…}}, …]}")
    private Path mix;

    @Option(
            names = "--format",
            paramLabel = "NAME",
            converter = FormatConverter.class,
            completionCandidates = FormatConverter.class,
            description =
                    "of the files or their records, if it shall not be recognised: auto, jsonl, json, csv, tsv, text,"
                            + " parquet; messages, sharegpt, alpaca, input-output, prompt-response, plain-text")
    private DataFormat format = DataFormat.AUTO;

    @Option(names = "--tokenizer-path", required = true, paramLabel = "DIR", description = "directory of the tokenizer")
    private Path tokenizer;

    @Option(names = "--data-output-path", required = true, paramLabel = "DIR", description = "directory to make")
    private Path output;

    @Option(names = "--max-seq-len", paramLabel = "N", description = "tokens per sample (default: 4096)")
    private int rowTokens = 4096;

    @Option(
            names = "--num-samples",
            paramLabel = "N",
            description = "how many samples; data repeat or are cut (default: all data once)")
    private Optional<Integer> samples = Optional.empty();

    @Option(
            names = "--num-workers",
            paramLabel = "N",
            description = "files to spread the samples over, and threads (default: 1 file, all processors)")
    private Optional<Integer> workers = Optional.empty();

    @Option(
            names = "--process-method",
            paramLabel = "METHOD",
            description = "single (1 worker, whatever --num-workers says) or multiple (default)")
    private Method method = Method.MULTIPLE;

    @Option(names = "--seed", paramLabel = "N", description = "of every random choice (default: 42)")
    private long seed = DataOptions.STANDARD_SEED;

    @Option(
            names = "--recipe",
            paramLabel = "RECIPE",
            converter = RecipeConverter.class,
            description =
                    "best-fit (default), or reference: what the original process_data.py makes, id for id, with the"
                            + " mask it means")
    private DataRecipe recipe = DataRecipe.BEST_FIT;

    @Option(
            names = "--answers",
            paramLabel = "WHICH",
            description = "train all answers of a dialog, or the last (default: all; with --recipe reference: last)")
    private Optional<Answers> answers = Optional.empty();

    @Mixin
    private SystemMessageOptions systemMessages;

    @Option(
            names = "--long-dialogs",
            paramLabel = "WAY",
            converter = LongDialogsConverter.class,
            description = "drop (default), truncate-oldest (turns) or split dialogs that are longer than a sample")
    private LongDialogs longDialogs = LongDialogs.DROP;

    @Option(
            names = "--max-errors",
            paramLabel = "N",
            description = "skip up to so many unusable lines of all files (default: 0, the first one ends the run; with"
                    + " --rejects, as many as there are)")
    private Optional<Long> maxErrors = Optional.empty();

    @Option(
            names = "--rejects",
            paramLabel = "FILE",
            description = "list every line that is left out, with file, line and reason, as JSON lines")
    private Optional<Path> rejects = Optional.empty();

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = ByteSize.Converter.class,
            description = "for buffers, whatever the size of the input (default: 1GiB)")
    private ByteSize memory = new ByteSize.Converter().convert(ONE_GIBIBYTE);

    @Option(names = "--threads", paramLabel = "N", description = "threads (default: --num-workers, or all processors)")
    private Optional<Integer> threads = Optional.empty();

    @Option(names = "--overwrite", description = "replace other data in the directory")
    private boolean overwrite;

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private HostOptions hosts;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        int shards = method == Method.SINGLE ? 1 : Positive.check("--num-workers", workers.orElse(1));
        samples.ifPresent(n -> Positive.check("--num-samples", n));
        DataOptions options = new DataOptions(
                mix,
                format,
                tokenizer,
                output,
                rowTokens,
                samples.isPresent() ? OptionalInt.of(samples.get()) : OptionalInt.empty(),
                shards,
                seed,
                recipe,
                answers.orElse(recipe == DataRecipe.REFERENCE ? Answers.LAST : Answers.ALL) == Answers.ALL,
                systemMessages.policy(),
                longDialogs,
                maxErrors.orElse(rejects.isPresent() ? Long.MAX_VALUE : 0),
                rejects,
                memory.bytes(),
                Positive.check("--threads", threads.orElse(defaultThreads())),
                overwrite);
        hosts.check();
        if (RankProcess.isOne()) {
            return RankProcess.run(Optional.empty(), RankProcess.PATIENCE, rank -> process(options, rank.ranks()));
        }
        if (hosts.startsProcesses()) {
            return RankLauncher.runWithoutDirectory(spec, hosts, RankWork.NO_INPUT);
        }
        return process(options, LocalRanks.alone());
    }

    private int process(DataOptions options, Communicator ranks) {
        long start = System.nanoTime();
        boolean isQuiet = global.quiet || ranks.rank() > 0;
        Optional<DataReport> report =
                new DataProcessor(options, new ProgressBar(Message.of("reading"), isQuiet), ranks).run();
        if (ranks.rank() > 0) {
            return ExitCode.OK;
        }
        if (report.isEmpty()) {
            System.err.println(
                    Message.localized("%s is up to date: made of the same inputs with the same options", output));
        }
        print(report, (System.nanoTime() - start) / 1e9);
        return ExitCode.OK;
    }

    private int defaultThreads() {
        int processors = RankProcess.defaultThreads();
        return method == Method.SINGLE ? 1 : Math.min(processors, workers.orElse(processors));
    }

    private void print(Optional<DataReport> report, double seconds) {
        if (json) {
            ObjectNode object = Json.object().put("output", output.toString()).put("up_to_date", report.isEmpty());
            report.ifPresent(r -> {
                object.put("seconds", seconds).put("tokens_per_s", r.tokens() / seconds);
                object.set("report", Json.tree(r));
            });
            System.out.println(Json.line(object));
        } else {
            report.ifPresent(r -> printTable(r, seconds));
        }
    }

    private void printTable(DataReport report, double seconds) {
        System.out.printf(
                "%-32s %6s %10s %10s %12s %8s %9s%n",
                "source", "weight", "lines", "dialogs", "tokens", "trained", "too long");
        int stages = report.sources().getLast().stage();
        for (DataReport.Source source : report.sources()) {
            System.out.printf(
                    "%-32s %6s %,10d %,10d %,12d %6.1f %% %,9d%n",
                    stages == 1 ? source.name() : "stage %d: %s".formatted(source.stage(), source.name()),
                    source.weight(),
                    source.lines(),
                    source.dialogs(),
                    source.tokens(),
                    100.0 * source.trainedTokens() / Math.max(1, source.tokens()),
                    source.tooLong());
            source.dropped().forEach((reason, count) -> System.out.printf("  dropped %,d lines: %s%n", count, reason));
        }
        System.out.printf(
                "%s: %,d samples of %,d tokens, %.1f %% filled (the reference's packing: %.1f %%), %,d tokens, %.1f %%"
                        + " trained%s; %.1f s, %,.0f tokens/s%n",
                output,
                report.samples(),
                rowTokens,
                100 * report.fillRate(),
                100 * report.referenceFillRate(),
                report.tokens(),
                100.0 * report.trainedTokens() / Math.max(1, report.tokens()),
                report.rounds() == 1 ? "" : ", data used %d times".formatted(report.rounds()),
                seconds,
                report.tokens() / seconds);
    }

    /** For picocli. */
    static final class FormatConverter implements ITypeConverter<DataFormat>, Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of(DataFormat.names().split(", ")).iterator();
        }

        @Override
        public DataFormat convert(String text) {
            try {
                return DataFormat.parse(text);
            } catch (InvalidRequestException e) {
                throw new TypeConversionException(e.getLocalizedMessage());
            }
        }
    }

    /** For picocli, which knows enums by their Java names only. */
    static final class RecipeConverter implements ITypeConverter<DataRecipe> {
        @Override
        public DataRecipe convert(String text) {
            return choose(DataRecipe.values(), text);
        }
    }

    /** For picocli. */
    static final class LongDialogsConverter implements ITypeConverter<LongDialogs> {
        @Override
        public LongDialogs convert(String text) {
            return choose(LongDialogs.values(), text);
        }
    }

    private static <T> T choose(T[] values, String text) {
        for (T value : values) {
            if (value.toString().equals(text.toLowerCase(Locale.ROOT).replace('_', '-'))) {
                return value;
            }
        }
        throw new TypeConversionException(Message.localized("'%s' is none of %s", text, Arrays.toString(values)));
    }
}
