// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.tensor.DType;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.Speculation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Options of commands that load a model. */
class ModelOptions {
    /** Between two questions the ranks wait for as long as the user likes. */
    private static final Duration PATIENCE = Duration.ofDays(10_000);

    private Optional<RankProcess> rank = Optional.empty();

    @Mixin
    private BackendOptions backend;

    @Option(
            names = "--weights",
            paramLabel = "TYPE",
            converter = DTypeConverter.Loaded.class,
            completionCandidates = DTypeConverter.Loaded.class,
            description =
                    "round the weights as they are loaded: q8, q4; unpack what a GGUF file has quantized: bf16, f32"
                            + " (default: as they are stored, or of GGUF the nearest)")
    private Optional<DType> weights = Optional.empty();

    @Option(
            names = "--activations",
            paramLabel = "TYPE",
            converter = DTypeConverter.Computed.class,
            completionCandidates = DTypeConverter.Computed.class,
            description = "bf16: round what bf16 weights are multiplied with, where the CPU is faster so; f32: never"
                    + " (default: bf16; where figures matter, in logits, eval and perplexity: f32)")
    private Optional<DType> activations = Optional.empty();

    @Option(
            names = "--kv-cache",
            paramLabel = "TYPE",
            converter = DTypeConverter.Cached.class,
            completionCandidates = DTypeConverter.Cached.class,
            description = "element type of the key/value cache: f32, f16, bf16, q8 (default: f32)")
    private DType cacheType = DType.F32;

    @Option(
            names = "--context-length",
            paramLabel = "N",
            description = "tokens of prompt and answer at most (default: the model's own)")
    private Optional<Integer> contextLength = Optional.empty();

    @Option(
            names = "--tokenizer",
            paramLabel = "DIR",
            description = "directory of the tokenizer, if it is not the model's")
    private Optional<Path> tokenizer = Optional.empty();

    @Option(
            names = "--speculate",
            paramLabel = "HOW",
            converter = SpeculationConverter.class,
            description =
                    "guess tokens and check several at once: ngram[:N] from what the prompt says, DIR[:N] by a smaller"
                            + " model; up to N (default: 8). What comes is the same")
    private Optional<Speculation> speculation = Optional.empty();

    @Option(
            names = "--tensor-parallel",
            paramLabel = "N",
            description = "cut the model into N parts, each with its share of the threads (default: 1)")
    private int tensorParallel = 1;

    @Option(names = "--trace", description = "measure every formula, and print a table to stderr at the end")
    private boolean trace;

    @Mixin
    private HostOptions hosts;

    /** Adapters to load with the model. */
    List<Path> adapters() {
        return List.of();
    }

    /** Directory of the tokenizer, if one was named. */
    final Optional<Path> tokenizer() {
        return tokenizer;
    }

    /** Prints what the formulas cost, if asked for. */
    final void report(ChatModel model) {
        model.trace().ifPresent(System.err::println);
    }

    /** What a command does with its model. */
    @FunctionalInterface
    interface Work {
        int run() throws IOException;
    }

    /**
     * Does a command's work, in this process or on several ranks. There each has its part of the model; the first one does the work,
     * and the others compute with it.
     *
     * @param directory of the model
     * @param standard activations, unless the option says otherwise
     * @param kind how it is fed and ended there
     * @return the exit code
     */
    final int run(
            CommandSpec spec, Supplier<Path> directory, DType standard, RankWork kind, GlobalOptions global, Work work)
            throws IOException {
        Positive.check("--tensor-parallel", tensorParallel);
        hosts.check();
        if (!hosts.startsProcesses()) {
            return work.run();
        }
        if (tensorParallel > 1) {
            throw new InvalidRequestException(
                    "--tensor-parallel is for one process; with --ranks or --hostfile each rank has a part of the"
                            + " model");
        }
        if (!RankProcess.isOne()) {
            return RankLauncher.runWithoutDirectory(spec, hosts, kind);
        }
        return RankProcess.run(Optional.empty(), PATIENCE, process -> {
            rank = Optional.of(process);
            if (process.ranks().rank() == 0) {
                return work.run();
            }
            ChatModel.follow(
                    directory.get(),
                    options(standard, global).ranks(process.ranks()).build());
            return ExitCode.OK;
        });
    }

    /** This process as one of several ranks; empty while it is alone. */
    final Optional<RankProcess> rank() {
        return rank;
    }

    final ChatModel load(Path directory, GlobalOptions global) {
        return load(directory, DType.BF16, global);
    }

    /** @param standard activations, unless the option says otherwise */
    final ChatModel load(Path directory, DType standard, GlobalOptions global) {
        return load(directory, options(standard, global));
    }

    /** @param more options of the command's own */
    final ChatModel load(Path directory, GlobalOptions global, UnaryOperator<LoadOptions.Builder> more) {
        return load(directory, DType.BF16, global, more);
    }

    /** Likewise, with other activations than the usual. */
    final ChatModel load(
            Path directory, DType standard, GlobalOptions global, UnaryOperator<LoadOptions.Builder> more) {
        return load(directory, more.apply(options(standard, global)));
    }

    private ChatModel load(Path directory, LoadOptions.Builder options) {
        rank.ifPresent(r -> options.ranks(r.ranks()));
        return ChatModel.load(directory, options.build());
    }

    /**
     * Another model beside that of the command, which only options of the machine and of precision concern.
     *
     * @param more options of the command's own
     */
    final ChatModel loadAnother(Path directory, GlobalOptions global, UnaryOperator<LoadOptions.Builder> more) {
        return ChatModel.load(directory, more.apply(machine(DType.BF16, global)).build());
    }

    /** What the answers of a model with these options depend on, but for what only rounding could tell. */
    final String identity(Path directory) {
        List<String> parts = new ArrayList<>();
        parts.add(FileStamps.of(directory));
        tokenizer.ifPresent(place -> parts.add("tokenizer " + FileStamps.of(place)));
        adapters().forEach(place -> parts.add("adapter " + FileStamps.of(place)));
        weights.ifPresent(type -> parts.add("weights " + type));
        activations.ifPresent(type -> parts.add("activations " + type));
        contextLength.ifPresent(length -> parts.add("context " + length));
        parts.add("cache " + cacheType);
        return String.join(", ", parts);
    }

    /** Whether each of several processes is to have a part of the model. */
    final boolean isInParts() {
        return hosts.startsProcesses();
    }

    private LoadOptions.Builder options(DType standard, GlobalOptions global) {
        LoadOptions.Builder options = machine(standard, global).trace(trace);
        contextLength.ifPresent(options::contextLength);
        tokenizer.ifPresent(options::tokenizer);
        adapters().forEach(options::adapter);
        speculation.ifPresent(options::speculation);
        return options;
    }

    private LoadOptions.Builder machine(DType standard, GlobalOptions global) {
        LoadOptions.Builder options = LoadOptions.builder()
                .backend(backend.choice())
                .activations(activations.orElse(standard))
                .cacheType(cacheType)
                .tensorParallel(tensorParallel)
                .progress(new ProgressBar(Message.of("loading"), global.quiet));
        weights.ifPresent(type -> {
            if (type.isQuantized()) {
                options.quantization(type);
            } else {
                options.unpacked(type);
            }
        });
        return options;
    }

    /** Where models come from. */
    static final Message WHERE_FROM =
            Message.of("TeleChat's makers publish theirs at https://huggingface.co/Tele-AI and"
                    + " https://modelscope.cn/organization/TeleAI, for example: hf download Tele-AI/TeleChat2-3B, or"
                    + " modelscope download TeleAI/TeleChat2-3B");

    /** What TELECHAT_MODEL names. */
    static Optional<Path> fromEnvironment() {
        return Optional.ofNullable(System.getenv("TELECHAT_MODEL")).map(Path::of);
    }

    /**
     * A directory, or that of a checkpoint of this name.
     *
     * @throws InvalidModelException if there is neither
     */
    static Path found(Path model) {
        if (Files.exists(model)) {
            return model;
        }
        return new ModelCatalog(System.getenv())
                .find(model.toString())
                .orElseThrow(() -> new InvalidModelException(
                        "%s: there is no such directory, and no model of that name (telechat models lists them); %s",
                        model, WHERE_FROM));
    }

    /** The model directory: the argument, or what TELECHAT_MODEL names. */
    static Path directory(Optional<Path> argument) {
        return argument.or(ModelOptions::fromEnvironment)
                .map(ModelOptions::found)
                .orElseThrow(() -> new InvalidRequestException(
                        "which model? Give the directory of a checkpoint, or set TELECHAT_MODEL to it"));
    }
}
