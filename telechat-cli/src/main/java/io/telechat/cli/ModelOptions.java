// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.DType;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** Options of commands that load a model. */
final class ModelOptions {
    /** What activations may be rounded to. */
    enum ActivationType {
        F32,
        BF16;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Element types of the key/value cache. */
    enum CacheType {
        F32,
        F16,
        BF16;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "cpu or nd4j (default: the best one that is usable)")
    private Optional<String> backend = Optional.empty();

    @Option(names = "--threads", paramLabel = "N", description = "threads (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--weights",
            paramLabel = "TYPE",
            description = "round the weights as they are loaded: q8_0, q4_0 (default: as they are stored)")
    private Optional<QuantizedType> weights = Optional.empty();

    @Option(
            names = "--activations",
            paramLabel = "TYPE",
            description = "bf16: round what bf16 weights are multiplied with, where the CPU is faster so; f32: never"
                    + " (default: bf16; logits: f32)")
    private Optional<ActivationType> activations = Optional.empty();

    @Option(
            names = "--kv-cache",
            paramLabel = "TYPE",
            description = "element type of the key/value cache: f32, f16, bf16 (default: f32)")
    private CacheType cacheType = CacheType.F32;

    @Option(
            names = "--context-length",
            paramLabel = "N",
            description = "tokens of prompt and answer at most (default: the model's own)")
    private Optional<Integer> contextLength = Optional.empty();

    @Option(
            names = "--tokenizer",
            paramLabel = "DIR",
            description = "directory of tokenizer.model, if it is not the model's")
    private Optional<Path> tokenizer = Optional.empty();

    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "LoRA adapter in PEFT's format to load with the model")
    private Optional<Path> adapter = Optional.empty();

    @Option(names = "--trace", description = "measure every formula, and print a table to stderr at the end")
    private boolean trace;

    /** Prints what the formulas cost, if asked for. */
    void report(ChatModel model) {
        model.trace().ifPresent(t -> System.err.println(t.report()));
    }

    ChatModel load(Path directory, GlobalOptions global) {
        return load(directory, ActivationType.BF16, global);
    }

    /** @param standard activations, unless the option says otherwise */
    ChatModel load(Path directory, ActivationType standard, GlobalOptions global) {
        LoadOptions options = new LoadOptions(
                backend,
                threads,
                weights.map(QuantizedType::dtype),
                DType.valueOf(activations.orElse(standard).name()),
                DType.valueOf(cacheType.name()),
                contextLength.map(OptionalInt::of).orElse(OptionalInt.empty()),
                tokenizer,
                adapter,
                trace,
                new ProgressBar("loading", global.quiet));
        return ChatModel.load(directory, options);
    }

    /** The directory that TELECHAT_MODEL names. */
    static Optional<Path> fromEnvironment() {
        return Optional.ofNullable(System.getenv("TELECHAT_MODEL")).map(Path::of);
    }

    /** The model directory: the argument, or what TELECHAT_MODEL names. */
    static Path directory(Optional<Path> argument) {
        return argument.or(ModelOptions::fromEnvironment)
                .orElseThrow(() -> new InvalidRequestException(
                        "which model? Give the directory of a checkpoint, or set TELECHAT_MODEL to it"));
    }
}
