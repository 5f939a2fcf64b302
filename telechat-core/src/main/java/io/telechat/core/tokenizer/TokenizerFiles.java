// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.CompanionFiles;
import io.telechat.core.checkpoint.Downloads;
import io.telechat.core.checkpoint.ModelFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The tokenizer that a checkpoint's files describe.
 *
 * @param added tokens that it finds in text
 * @param kind of the file that has the vocabulary
 * @param start the special token that this file has put in front of a text, if it says so
 */
public record TokenizerFiles(Tokenizer tokenizer, List<AddedToken> added, Kind kind, Optional<String> start) {
    private static final String SENTENCE_PIECE = "tokenizer.model";
    private static final String TIKTOKEN = "qwen.tiktoken";
    private static final String JSON = "tokenizer.json";

    /** Kinds of files that hold vocabularies. */
    public enum Kind {
        /** A SentencePiece model, tokenizer.model, in which marks are pieces that are found in text. */
        SENTENCE_PIECE,
        /** A SentencePiece model in which the role marks of TeleChat2 are control pieces: found in text only where they are added tokens. */
        SENTENCE_PIECE_WITH_CONTROL_MARKS,
        /** qwen.tiktoken. */
        TIKTOKEN,
        /** tokenizer.json. */
        JSON
    }

    /** The file of a directory that {@link #load} reads the vocabulary from; nothing if there is none. */
    public static Optional<Path> file(Path directory) {
        ModelFiles files = ModelFiles.of(directory);
        return name(files).map(files::path);
    }

    private static Optional<String> name(ModelFiles files) {
        return Stream.of(SENTENCE_PIECE, TIKTOKEN, JSON).filter(files::has).findFirst();
    }

    /**
     * @param directory a GGUF file; or holds tokenizer.model and, if the makers' defaults don't apply, tokenizer_config.json; or qwen.tiktoken;
     *     or a tokenizer.json
     * @throws InvalidModelException if they are missing or damaged
     */
    public static TokenizerFiles load(Path directory) {
        ModelFiles files = ModelFiles.of(directory);
        String name = name(files).orElse(SENTENCE_PIECE);
        Path file = files.path(name);
        Downloads.requireWhole(file);
        return switch (name) {
            case TIKTOKEN -> TiktokenFile.read(file);
            case JSON -> TokenizerJson.read(file, files.json(name));
            default -> SentencePieceFiles.read(files);
        };
    }

    /** Copies the files that belong to the tokenizer and to generation, as far as they are there, or what stands in their place. */
    public static void copy(Path from, Path to) throws IOException {
        CompanionFiles.copyTokenizer(from, to);
        ModelFiles files = ModelFiles.of(from);
        if (files.pieces().isPresent()) {
            SentencePieceModel model = SentencePieceModel.of(files);
            SentencePieceWriter.write(to.resolve(SENTENCE_PIECE), model.pieces(), model.addDummyPrefix());
        }
    }

    /** Whether some added token is spelled so. */
    public boolean adds(String content) {
        return added.stream().anyMatch(token -> token.content().equals(content));
    }
}
