// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.InvalidModelException;
import io.telechat.core.ops.FrequencyScaling;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.ops.WeightId.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The first Qwen, 1.8B to 72B: GPT-2 style names, fused {@code c_attn} = q|k|v with a bias, and a gate that is called {@code w2}
 * (modeling_qwen.py of Qwen-72B and Qwen-7B-Chat; Bai et al. 2023, arXiv:2309.16609).
 */
final class QwenArchitecture implements Architecture {
    /** Both are on where they are not named, as in the makers' QWenConfig. */
    private static final String NTK = "use_dynamic_ntk";

    private static final String LOGN = "use_logn_attn";

    @Override
    public String name() {
        return "Qwen";
    }

    @Override
    public boolean matches(ConfigFile config, Set<String> tensorNames) {
        return config.text("model_type", "").equals("qwen");
    }

    @Override
    public ModelConfig readConfig(ConfigFile config, Set<String> tensorNames) {
        config.requireUnderstood(Set.of(NTK, LOGN));
        config.require("no_bias", "true");
        int hidden = either(config, "hidden_size", "n_embd", Limits.WIDTH);
        int heads = either(config, "num_attention_heads", "n_head", Limits.HEADS);
        int headDim = config.has("kv_channels")
                ? config.positive("kv_channels", Limits.WIDTH)
                : config.divide("hidden_size", hidden, "num_attention_heads", heads);
        if ((long) headDim * heads != hidden) {
            throw new InvalidModelException(
                    "%s: 'kv_channels' = %d times 'num_attention_heads' = %d is not 'hidden_size' = %d",
                    config.path(), headDim, heads, hidden);
        }
        int trained = config.has("seq_length")
                ? config.positive("seq_length", Limits.CONTEXT)
                : either(config, "max_position_embeddings", "n_positions", Limits.CONTEXT);
        int bothFfn = either(config, "intermediate_size", "ffn_hidden_size", Limits.WIDTH);
        return new ModelConfig(
                this,
                config.positive("vocab_size", Limits.VOCABULARY),
                hidden,
                either(config, "num_hidden_layers", "n_layer", Limits.LAYERS),
                HeadConfig.of(config, "num_attention_heads", heads, heads, headDim),
                false,
                half(config, bothFfn),
                (float) config.positiveNumber("layer_norm_epsilon", 1e-6),
                1,
                1,
                Set.of(Part.QKV),
                config.flag("tie_word_embeddings", false),
                false,
                false,
                new PromptNtk(
                        config.positiveNumber("rotary_emb_base", 10_000),
                        headDim,
                        trained,
                        config.flag(NTK, true),
                        config.flag(LOGN, true)),
                trained,
                Integer.MAX_VALUE,
                config.positiveNumber("initializer_range", 0.02),
                "transformer.");
    }

    /** Older files call things as GPT-2 does. */
    private static int either(ConfigFile config, String key, String older, int max) {
        return config.positive(config.has(key) || !config.has(older) ? key : older, max);
    }

    /** The configuration counts gate and up together. */
    private static int half(ConfigFile config, int both) {
        if (both % 2 != 0) {
            throw new InvalidModelException("%s: 'intermediate_size' = %d is odd", config.path(), both);
        }
        return both / 2;
    }

    /** The base follows the length of the prompt, and stays there; queries behind the trained length are sharpened. */
    private record PromptNtk(double theta, int headDim, int trained, boolean grows, boolean sharpens)
            implements RopeRule {
        @Override
        public RopeScaling scaling(int promptTokens, int callTokens, int totalTokens) {
            double alpha = grows ? RopeRule.ntkAlpha(promptTokens, trained) : 1;
            double scaled = theta * Math.pow(alpha, headDim / (headDim - 2.0));
            return new RopeScaling(scaled, FrequencyScaling.NONE, 1, false, sharpens ? trained : 0);
        }

        @Override
        public boolean turnsCachedKeys() {
            return false;
        }
    }

    @Override
    public List<TensorSpec> tensors(ModelConfig c) {
        double std = c.initializerRange();
        long d = c.hidden();
        long f = c.ffn();
        List<TensorSpec> specs = new ArrayList<>();
        specs.add(TensorSpec.normal(embeddingName(c), std, c.vocabSize(), d));
        for (int i = 0; i < c.layers(); i++) {
            String h = block(c, i);
            specs.add(TensorSpec.ones(h + "ln_1.weight", d));
            specs.add(TensorSpec.normal(h + "attn.c_attn.weight", std, 3 * d, d));
            specs.add(TensorSpec.zeros(h + "attn.c_attn.bias", 3 * d));
            specs.add(TensorSpec.normal(h + "attn.c_proj.weight", std, d, d));
            specs.add(TensorSpec.ones(h + "ln_2.weight", d));
            specs.add(TensorSpec.normal(h + "mlp.w2.weight", std, f, d));
            specs.add(TensorSpec.normal(h + "mlp.w1.weight", std, f, d));
            specs.add(TensorSpec.normal(h + "mlp.c_proj.weight", std, d, f));
        }
        specs.addAll(headTensors(c));
        return specs;
    }

    @Override
    public boolean ignores(String name) {
        return name.endsWith("rotary_emb.inv_freq") || name.endsWith(".attn.masked_bias");
    }

    @Override
    public String embeddingName(ModelConfig c) {
        return c.tensorPrefix() + "wte.weight";
    }

    @Override
    public String finalNormName(ModelConfig c) {
        return c.tensorPrefix() + "ln_f.weight";
    }

    @Override
    public LayerWeights layer(ModelConfig c, int layer, WeightSource tensors) {
        String h = block(c, layer);
        Weight.Block attention =
                Weight.Block.of(tensors.get(h + "attn.c_attn.weight"), tensors.get(h + "attn.c_attn.bias"));
        return new LayerWeights(
                tensors.norm(h + "ln_1.weight"),
                tensors.matrix(new WeightId(layer, Part.QKV), List.of(attention)),
                Optional.empty(),
                tensors.matrix(new WeightId(layer, Part.ATTN_OUT), tensors.get(h + "attn.c_proj.weight")),
                tensors.norm(h + "ln_2.weight"),
                tensors.matrix(
                        new WeightId(layer, Part.GATE_UP),
                        tensors.get(h + "mlp.w2.weight"),
                        tensors.get(h + "mlp.w1.weight")),
                tensors.matrix(new WeightId(layer, Part.DOWN), tensors.get(h + "mlp.c_proj.weight")));
    }

    private static String block(ModelConfig c, int layer) {
        return c.tensorPrefix() + "h." + layer + ".";
    }
}
