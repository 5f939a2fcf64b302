// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.util.List;
import java.util.Map;

/** A GGUF file's numbers in the keys of config.json, for the architectures that both know. */
public final class GgufConfig {
    static final String LLAMA = "llama";
    /** What llama.cpp calls an architecture, which is also its {@code model_type}, and the class that Hugging Face has for it. */
    private static final Map<String, String> ARCHITECTURES =
            Map.of(LLAMA, "LlamaForCausalLM", "qwen2", "Qwen2ForCausalLM", "qwen3", "Qwen3ForCausalLM");

    /** Keys behind the architecture's name that change what is computed, with the only value that changes nothing. */
    private static final Map<String, Double> REFUSED = Map.ofEntries(
            Map.entry("attention.scale", 0.0),
            Map.entry("attention.clamp_kqv", 0.0),
            Map.entry("attention.max_alibi_bias", 0.0),
            Map.entry("attn_logit_softcapping", 0.0),
            Map.entry("final_logit_softcapping", 0.0),
            Map.entry("logit_scale", 0.0),
            Map.entry("embedding_scale", 0.0),
            Map.entry("residual_scale", 0.0),
            Map.entry("expert_count", 0.0));

    private GgufConfig() {}

    /** Model types that can be read from GGUF and written as such. */
    public static boolean knows(String modelType) {
        return ARCHITECTURES.containsKey(modelType);
    }

    static List<String> known() {
        return ARCHITECTURES.keySet().stream().sorted().toList();
    }

    /** @throws InvalidModelException if the architecture is another, or a number is missing or asks for something else */
    public static ObjectNode read(GgufModel model) {
        GgufMetadata metadata = model.metadata();
        String architecture = model.architecture();
        if (!knows(architecture)) {
            throw new InvalidModelException(
                    "%s: its architecture is '%s'; telechat reads %s from GGUF",
                    metadata.path(), architecture, known());
        }
        String prefix = architecture + ".";
        refuseOthers(metadata, prefix);
        int headDim = model.headDim();
        requireSame(metadata, prefix + "attention.value_length", headDim);
        requireSame(metadata, prefix + "rope.dimension_count", headDim);
        int heads = metadata.requiredInteger(prefix + "attention.head_count");
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        config.put("model_type", architecture);
        config.putArray("architectures").add(ARCHITECTURES.get(architecture));
        config.put("hidden_size", metadata.requiredInteger(prefix + "embedding_length"));
        config.put("num_hidden_layers", metadata.requiredInteger(prefix + "block_count"));
        config.put("num_attention_heads", heads);
        config.put(
                "num_key_value_heads",
                metadata.integer(prefix + "attention.head_count_kv").orElse(heads));
        config.put("head_dim", headDim);
        config.put("intermediate_size", metadata.requiredInteger(prefix + "feed_forward_length"));
        config.put("hidden_act", "silu");
        String epsilon = prefix + "attention.layer_norm_rms_epsilon";
        config.put("rms_norm_eps", metadata.number(epsilon).orElseThrow(() -> metadata.missing(epsilon)));
        config.put("vocab_size", vocabulary(model));
        metadata.integer(prefix + "context_length").ifPresent(n -> config.put("max_position_embeddings", n));
        config.put("tie_word_embeddings", !model.tensors().containsKey("output.weight"));
        if (architecture.equals(LLAMA)) {
            config.put("attention_bias", model.tensors().containsKey("blk.0.attn_q.bias"));
            config.put("mlp_bias", model.tensors().containsKey("blk.0.ffn_gate.bias"));
        }
        GgufRope.read(model, config);
        for (String token : List.of("bos", "eos")) {
            metadata.integer("tokenizer.ggml." + token + "_token_id")
                    .ifPresent(id -> config.put(token + "_token_id", id));
        }
        return config;
    }

    private static void refuseOthers(GgufMetadata metadata, String prefix) {
        REFUSED.forEach((name, harmless) -> metadata.number(prefix + name)
                .filter(value -> !value.equals(harmless))
                .ifPresent(value -> {
                    throw new InvalidModelException(
                            "%s: %s",
                            metadata.path(),
                            Message.of("'%s' is %s, which telechat does not compute", prefix + name, value));
                }));
        if (!metadata.flag(prefix + "attention.causal").orElse(true)) {
            throw new InvalidModelException(
                    "%s: %s",
                    metadata.path(),
                    Message.of("'%s' is %s, which telechat does not compute", prefix + "attention.causal", false));
        }
    }

    private static void requireSame(GgufMetadata metadata, String key, int value) {
        metadata.integer(key).filter(other -> other != value).ifPresent(other -> {
            throw new InvalidModelException(
                    "%s: '%s' is %s; of this architecture, telechat computes %s only",
                    metadata.path(), key, other, value);
        });
    }

    /** Rows of the embedding: the key of that name is in newer files only. */
    private static long vocabulary(GgufModel model) {
        GgufFile.Stored table = model.tensors().get("token_embd.weight");
        if (table == null) {
            throw new InvalidModelException("%s: has no tensor '%s'", model.path(), "token_embd.weight");
        }
        return table.shape().dim(0);
    }
}
