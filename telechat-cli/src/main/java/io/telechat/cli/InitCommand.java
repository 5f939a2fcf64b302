// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.tensor.DType;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.core.tokenizer.TokenizerFiles;
import io.telechat.core.weights.ModelInitializer;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code telechat init}. */
@Command(
        name = "init",
        description = "Make a checkpoint with random weights: for benchmarks, tests, and training from scratch.",
        mixinStandardHelpOptions = true)
final class InitCommand implements Callable<Integer> {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "a config.json of any architecture; see configs/")
    private Path config;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "directory to make")
    private Path out;

    @Option(names = "--seed", paramLabel = "N", description = "the same seed gives the same weights (default: 0)")
    private long seed;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            converter = DTypeConverter.Stored.class,
            completionCandidates = DTypeConverter.Stored.class,
            description = "f32, f16 or bf16 (default: bf16)")
    private DType dtype = DType.BF16;

    @Option(names = "--tokenizer", paramLabel = "DIR", description = "copy the tokenizer from here")
    private Optional<Path> tokenizer = Optional.empty();

    @Option(names = "--byte-tokenizer", description = "write a tokenizer of single bytes")
    private boolean byteTokenizer;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws IOException {
        if (byteTokenizer && tokenizer.isPresent()) {
            throw new InvalidRequestException("--tokenizer and --byte-tokenizer exclude each other");
        }
        try (WorkerTeam workers = new WorkerTeam(Runtime.getRuntime().availableProcessors())) {
            ProgressBar progress = new ProgressBar(Message.of("writing"), global.quiet);
            ModelConfig made = new ModelInitializer(seed, dtype, workers, progress).write(config, out);
            if (byteTokenizer) {
                if (SentencePieceWriter.byteVocabulary().size() > made.vocabSize()) {
                    throw new InvalidModelException(
                            "%s: vocab_size %d has no room for a tokenizer of bytes", config, made.vocabSize());
                }
                SentencePieceWriter.write(out.resolve("tokenizer.model"), SentencePieceWriter.byteVocabulary());
            }
            if (tokenizer.isPresent()) {
                copyTokenizer(tokenizer.get());
            }
            System.out.printf(
                    "%s: %s, %,d parameters%n", out, made.architecture().name(), made.parameters());
        }
        return ExitCode.OK;
    }

    private void copyTokenizer(Path from) throws IOException {
        if (TokenizerFiles.file(from).isEmpty()) {
            throw new InvalidModelException("%s: has no tokenizer", from);
        }
        TokenizerFiles.copy(from, out);
    }
}
