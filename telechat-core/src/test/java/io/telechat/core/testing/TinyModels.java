// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import io.telechat.core.tensor.DType;
import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceModel;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelInitializer;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

    public static final String CONFIG_LLAMA = """
        {"model_type": "llama", "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12,
         "num_hidden_layers": 2, "intermediate_size": 40, "vocab_size": 300, "rms_norm_eps": 1e-5, "attention_bias": true,
         "mlp_bias": true, "max_position_embeddings": 256, "rope_theta": 500000.0, "initializer_range": 0.3, "eos_token_id": 2,
         "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 64}}\
        """;
    public static final String CONFIG_QWEN = """
        {"model_type": "qwen", "hidden_size": 24, "num_attention_heads": 2, "kv_channels": 12, "num_hidden_layers": 2,
         "intermediate_size": 80, "vocab_size": 300, "layer_norm_epsilon": 1e-6, "seq_length": 8, "rotary_emb_base": 10000.0,
         "use_dynamic_ntk": true, "use_logn_attn": true, "no_bias": true, "initializer_range": 0.3, "eos_token_id": 2}\
        """;
    public static final String CONFIG_QWEN2 = """
        {"model_type": "qwen2", "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2,
         "intermediate_size": 56, "vocab_size": 300, "rms_norm_eps": 1e-6, "max_position_embeddings": 256,
         "rope_theta": 1000000.0, "tie_word_embeddings": true, "initializer_range": 0.3, "eos_token_id": 2}\
        """;
    public static final String CONFIG_QWEN3 = """
        {"model_type": "qwen3", "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12,
         "num_hidden_layers": 2, "intermediate_size": 24, "vocab_size": 300, "rms_norm_eps": 1e-6,
         "max_position_embeddings": 256, "initializer_range": 0.3, "eos_token_id": 2,
         "rope_parameters": {"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0,
         "original_max_position_embeddings": 64}}\
        """;
    public static final String CONFIG_TELECHAT3 = """
        {"model_type": "telechat3", "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
         "num_hidden_layers": 2, "intermediate_size": 56, "vocab_size": 300, "rms_norm_eps": 1e-5,
         "max_position_embeddings": 256, "rope_theta": 1000000.0, "initializer_range": 0.3, "eos_token_id": 2,
         "rope_scaling": {"type": "telechat3-yarn", "rope_type": "telechat3-yarn", "factor": 4.0, "beta_fast": 32.0,
         "beta_slow": 1.0, "original_max_position_embeddings": 64}}\
        """;

    /** A configuration of every architecture. */
    public static final List<String> CONFIGS = List.of(
            CONFIG_52B,
            CONFIG_12B,
            CONFIG_TELECHAT2,
            CONFIG_LLAMA,
            CONFIG_QWEN,
            CONFIG_QWEN2,
            CONFIG_QWEN3,
            CONFIG_TELECHAT3);

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

    /** Likewise, with T1's format: prompts begin thoughts, whose marks are one piece each. */
    public static Path makeThinking(Path parent, String name, long seed) throws IOException {
        Path directory = makeWithTools(parent, name, seed);
        Path file = directory.resolve("tokenizer.model");
        List<Piece> pieces = new ArrayList<>(SentencePieceModel.read(file).pieces());
        pieces.add(new Piece("<think>", 0, Piece.Type.CONTROL));
        pieces.add(new Piece("</think>", 0, Piece.Type.CONTROL));
        SentencePieceWriter.write(file, pieces);
        Files.writeString(directory.resolve("tokenizer_config.json"), """
            {"chat_template": "{% for m in messages %}<_user>{{ m.content }}{% endfor %}<_bot><think>\\n"}\
            """);
        return directory;
    }
}
