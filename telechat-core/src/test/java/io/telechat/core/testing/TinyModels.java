// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import io.telechat.core.tensor.DType;
import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelInitializer;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Small models with random weights and a tokenizer of bytes, made on the spot. */
public final class TinyModels {
    public static final String CONFIG_52B = """
        {"model_type": "telechat", "n_embd": 32, "n_head": 4, "n_layer": 2, "n_inner": 48, "n_positions": 256,
         "vocab_size": 300, "layer_norm_epsilon": 1e-5, "use_mup": true, "input_mult": 1.5, "output_mult": 2.0,
         "mup_scale_factor": 4.0, "initializer_range": 0.3, "eos_token_id": 2}\
        """;
    public static final String CONFIG_12B = """
        {"model_type": "telechat", "hidden_size": 32, "n_head": 4, "n_layer": 2, "ffn_hidden_size": 48, "vocab_size": 300,
         "layer_norm_epsilon": 1e-5, "training_seqlen": 256, "tie_word_embeddings": false, "initializer_range": 0.3,
         "eos_token_id": 2}\
        """;
    public static final String CONFIG_TELECHAT2 = """
        {"model_type": "telechat", "hidden_size": 32, "n_head": 4, "num_key_value_heads": 2, "n_layer": 2,
         "ffn_hidden_size": 48, "vocab_size": 300, "layer_norm_epsilon": 1e-5, "training_seqlen": 256, "base_seqlen": 256,
         "seq_length": 256, "tie_word_embeddings": false, "initializer_range": 0.3, "eos_token_id": 2}\
        """;

    private TinyModels() {}

    /** Makes a checkpoint of F32 weights in a directory of its own below {@code parent}. */
    public static Path make(Path parent, String name, String config, long seed) throws IOException {
        Path configFile = parent.resolve(name + ".json");
        Files.writeString(configFile, config);
        Path directory = parent.resolve(name);
        try (WorkerTeam workers = new WorkerTeam(1)) {
            new ModelInitializer(seed, DType.F32, workers, LoadProgress.SILENT).write(configFile, directory);
        }
        SentencePieceWriter.write(directory.resolve("tokenizer.model"), SentencePieceWriter.byteVocabulary());
        return directory;
    }

    /**
     * Likewise, with a longer context, answers that seldom end early, and TeleChat2's chat format, which has tools: its marks are not
     * found in text.
     */
    public static Path makeWithTools(Path parent, String name, long seed) throws IOException {
        String config = CONFIG_TELECHAT2.replace("256", "4096").replace("\"eos_token_id\": 2", "\"eos_token_id\": 290");
        Path directory = make(parent, name, config, seed);
        List<Piece> pieces = SentencePieceWriter.byteVocabulary().stream()
                .map(piece -> piece.type() == Piece.Type.USER_DEFINED
                        ? new Piece(piece.text(), piece.score(), Piece.Type.CONTROL)
                        : piece)
                .toList();
        SentencePieceWriter.write(directory.resolve("tokenizer.model"), pieces);
        return directory;
    }
}
