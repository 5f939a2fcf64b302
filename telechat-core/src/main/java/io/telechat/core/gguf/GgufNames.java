// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of tensors in GGUF files, and what Hugging Face's checkpoints of Llama, Qwen2 and Qwen3 call the same. */
public final class GgufNames {
    /** What the frequencies of the rotation are divided by; no tensor of a checkpoint. */
    public static final String ROPE_FACTORS = "rope_freqs.weight";

    private static final String EMBEDDING = "token_embd";
    private static final String HEAD = "output";
    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d{1,9})\\.(.+)\\.(weight|bias)");
    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d{1,9})\\.(.+)\\.(weight|bias)");
    private static final Pattern ELSEWHERE = Pattern.compile("(.+)\\.(weight|bias)");

    private static final Map<String, String> OUTSIDE =
            Map.of(EMBEDDING, "model.embed_tokens", "output_norm", "model.norm", HEAD, "lm_head");

    private static final Map<String, String> IN_BLOCK = Map.ofEntries(
            Map.entry("attn_norm", "input_layernorm"),
            Map.entry("attn_q", "self_attn.q_proj"),
            Map.entry("attn_k", "self_attn.k_proj"),
            Map.entry("attn_v", "self_attn.v_proj"),
            Map.entry("attn_output", "self_attn.o_proj"),
            Map.entry("attn_q_norm", "self_attn.q_norm"),
            Map.entry("attn_k_norm", "self_attn.k_norm"),
            Map.entry("ffn_norm", "post_attention_layernorm"),
            Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_up", "mlp.up_proj"),
            Map.entry("ffn_down", "mlp.down_proj"));

    private static final Map<String, String> OUTSIDE_BACK = turned(OUTSIDE);
    private static final Map<String, String> IN_BLOCK_BACK = turned(IN_BLOCK);

    private GgufNames() {}

    private static Map<String, String> turned(Map<String, String> names) {
        Map<String, String> turned = new LinkedHashMap<>();
        names.forEach((ours, theirs) -> turned.put(theirs, ours));
        return Map.copyOf(turned);
    }

    /** Whether a tensor is part of the rotation's description, and none of a checkpoint's. */
    public static boolean isRopeFactors(String name) {
        return name.equals(ROPE_FACTORS);
    }

    /** The checkpoint's name of a tensor of a GGUF file; its own where it has no other. */
    public static String ofCheckpoint(String name) {
        return translated(name, BLOCK, "model.layers.", IN_BLOCK, OUTSIDE).orElse(name);
    }

    /** The name in a GGUF file of a checkpoint's tensor, if it has a place there. */
    public static Optional<String> ofGguf(String name) {
        return translated(name, LAYER, "blk.", IN_BLOCK_BACK, OUTSIDE_BACK);
    }

    private static Optional<String> translated(
            String name, Pattern layer, String prefix, Map<String, String> within, Map<String, String> outside) {
        Matcher inLayer = layer.matcher(name);
        if (inLayer.matches()) {
            return Optional.ofNullable(within.get(inLayer.group(2)))
                    .map(part -> prefix + inLayer.group(1) + "." + part + "." + inLayer.group(3));
        }
        Matcher elsewhere = ELSEWHERE.matcher(name);
        return elsewhere.matches()
                ? Optional.ofNullable(outside.get(elsewhere.group(1))).map(part -> part + "." + elsewhere.group(2))
                : Optional.empty();
    }

    /** Whether a checkpoint's tensor is the query's or key's matrix or bias, whose rows llama.cpp orders otherwise for Llama. */
    public static boolean isRotated(String checkpointName) {
        return checkpointName.contains(".self_attn.q_proj.") || checkpointName.contains(".self_attn.k_proj.");
    }
}
