// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import java.util.List;
import java.util.Optional;

/** The numbers of a config.json in GGUF's keys. */
public final class GgufExportValues {
    private static final int QUANTIZATION_VERSION = 2;

    private GgufExportValues() {}

    /**
     * @param source of the configuration, for complaints
     * @param config of a model that has been checked: Llama, Qwen2 or Qwen3
     * @param fileType what most of the weights are
     * @return what the frequencies of the rotation are divided by, if that takes a tensor
     * @throws InvalidModelException if llama.cpp does not know the architecture, or GGUF cannot say what it asks for
     */
    public static Optional<float[]> write(Object source, JsonNode config, GgufType fileType, GgufValues values) {
        String architecture = config.path("model_type").asText();
        if (!GgufConfig.knows(architecture)) {
            throw new InvalidModelException(
                    "%s: its model_type is '%s', which llama.cpp does not know or telechat does not write; it writes %s"
                            + " to GGUF",
                    source, architecture, GgufConfig.known());
        }
        String prefix = architecture + ".";
        int hidden = config.path("hidden_size").asInt();
        int heads = config.path("num_attention_heads").asInt();
        int headDim = config.path("head_dim").asInt(hidden / heads);
        values.text("general.architecture", architecture);
        values.integer("general.file_type", fileTypeNumber(fileType));
        values.integer("general.quantization_version", QUANTIZATION_VERSION);
        values.integer(
                prefix + "context_length",
                config.path("max_position_embeddings").asInt(2048));
        values.integer(prefix + "embedding_length", hidden);
        values.integer(prefix + "block_count", config.path("num_hidden_layers").asInt());
        values.integer(
                prefix + "feed_forward_length", config.path("intermediate_size").asInt());
        values.integer(prefix + "attention.head_count", heads);
        values.integer(
                prefix + "attention.head_count_kv",
                config.path("num_key_value_heads").asInt(heads));
        values.integer(prefix + "attention.key_length", headDim);
        values.integer(prefix + "attention.value_length", headDim);
        values.number(
                prefix + "attention.layer_norm_rms_epsilon",
                config.path("rms_norm_eps").asDouble(1e-6));
        values.integer(prefix + "rope.dimension_count", headDim);
        values.integer(prefix + "vocab_size", config.path("vocab_size").asInt());
        double theta = GgufRope.theta(config);
        return GgufRope.write(source, config, prefix, values).map(scaling -> scaling.divisors(theta, headDim));
    }

    /** As llama.cpp numbers them. */
    private static int fileTypeNumber(GgufType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case Q8_0 -> 7;
            case BF16 -> 32;
            default -> throw new IllegalArgumentException(type + " is not written");
        };
    }

    /** The types that matrices can be written as. */
    public static List<GgufType> types() {
        return List.of(GgufType.F32, GgufType.F16, GgufType.BF16, GgufType.Q8_0);
    }
}
