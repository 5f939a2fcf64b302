// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.TextFiles;
import io.telechat.core.tokenizer.BpeTrainer;
import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat train-tokenizer}. */
@Command(
        name = "train-tokenizer",
        description = {
            "Learn a vocabulary from texts, for a model that is trained from the beginning.",
            "It has the marks of the 12B's chat format and falls back to bytes. Of .jsonl files, all strings are read."
        },
        mixinStandardHelpOptions = true)
final class TrainTokenizerCommand implements Callable<Integer> {
    private static final String MARKS = "<_user>|<_bot>|<_end>";

    @Parameters(arity = "1..*", paramLabel = "FILE", description = "texts, or .jsonl")
    private List<Path> files;

    @Option(names = "--vocab-size", paramLabel = "N", description = "pieces at most (default: 4096)")
    private int size = 4096;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "for tokenizer.model; made if need be")
    private Path out;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        BpeTrainer trainer = new BpeTrainer();
        for (Path file : files) {
            for (String line : (Iterable<String>) TextFiles.read(file).lines()::iterator) {
                if (file.toString().endsWith(".jsonl")) {
                    addStrings(JsonFiles.parse(file.toString(), line), trainer);
                } else {
                    trainer.add(line);
                }
            }
        }
        List<Piece> pieces = trainer.train(size);
        try {
            Files.createDirectories(out);
            SentencePieceWriter.write(out.resolve("tokenizer.model"), pieces);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", out, IoReason.of(e));
        }
        System.out.printf("%s: %,d pieces%n", out.resolve("tokenizer.model"), pieces.size());
        return ExitCode.OK;
    }

    private static void addStrings(JsonNode node, BpeTrainer trainer) {
        if (node.isTextual()) {
            for (String part : node.textValue().split(MARKS)) {
                if (!part.isEmpty()) {
                    trainer.add(part);
                }
            }
        }
        node.forEach(child -> addStrings(child, trainer));
    }
}
