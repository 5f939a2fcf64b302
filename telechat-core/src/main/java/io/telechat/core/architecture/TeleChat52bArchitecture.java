// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.WeightId;
import io.telechat.core.ops.WeightId.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * TeleChat-52B: GPT-2 style names, {@code Conv1D} weights stored as [in, out], fused {@code c_attn} = q|k|v and
 * {@code c_fc} = gate|up, no biases, muP multipliers (modeling_telechat.py and configuration_telechat.py of
 * TeleChat-52B).
 */
final class TeleChat52bArchitecture implements Architecture {
    /** The rotation does not change below this length, whatever n_positions says. */
    private static final int NTK_BASE = 4096;

    @Override
    public String name() {
        return "TeleChat-52B";
    }

    @Override
    public boolean matches(ConfigFile config, Set<String> tensorNames) {
        return config.text("model_type", "").equals("telechat") && config.has("n_embd");
    }

    @Override
    public ModelConfig readConfig(ConfigFile config, Set<String> tensorNames) {
        config.require("activation_function", "silu");
        config.require("use_RMSNorm", "true");
        config.require("add_bias_linear", "false");
        config.require("relative_encoding", "rotary");
        config.require("rotary_use_xpos", "false");
        int hidden = config.positive("n_embd", Limits.WIDTH);
        config.requireUnderstood(config.positiveNumber("rotary_theta", 10_000));
        config.requireSame("layer_norm_epsilon", "rms_norm_eps", 1e-5);
        int heads = config.positive("n_head", Limits.HEADS);
        int layers = config.positive("n_layer", Limits.LAYERS);
        boolean mup = config.flag("use_mup", true);
        double theta = config.positiveNumber("rotary_theta", 10_000);
        return new ModelConfig(
                this,
                config.positive("vocab_size", Limits.VOCABULARY),
                hidden,
                layers,
                HeadConfig.read(config, "n_embd", hidden, heads, heads),
                false,
                config.positive("n_inner", Limits.WIDTH, 4 * hidden),
                (float) config.positiveNumber("layer_norm_epsilon", 1e-5),
                mup ? (float) config.positiveNumber("input_mult", 1) : 1,
                mup
                        ? (float)
                                (config.positiveNumber("output_mult", 1) / config.positiveNumber("mup_scale_factor", 1))
                        : 1,
                Set.of(),
                config.flag("tie_word_embeddings", false),
                false,
                false,
                new WholeSequenceNtk(theta),
                config.positive("n_positions", Limits.CONTEXT, NTK_BASE),
                Integer.MAX_VALUE,
                config.positiveNumber("initializer_range", 0.02),
                "transformer.");
    }

    /** One base for all positions, by the total length; cached keys follow it. */
    private record WholeSequenceNtk(double theta) implements RopeRule {
        @Override
        public RopeScaling scaling(int promptTokens, int callTokens, int totalTokens) {
            return new RopeScaling(theta * RopeRule.ntkAlpha(totalTokens, NTK_BASE), 1, false);
        }

        @Override
        public boolean turnsCachedKeys() {
            return true;
        }
    }

    @Override
    public List<TensorSpec> tensors(ModelConfig c) {
        double std = c.initializerRange();
        double projection = std / Math.sqrt(2.0 * c.layers());
        long d = c.hidden();
        List<TensorSpec> specs = new ArrayList<>();
        specs.add(TensorSpec.normal(embeddingName(c), std, c.vocabSize(), d));
        for (int i = 0; i < c.layers(); i++) {
            String h = block(c, i);
            specs.add(TensorSpec.ones(h + "ln_1.weight", d));
            specs.add(TensorSpec.normal(
                            h + "attn.c_attn.weight", std, d, c.heads().qkvWidth())
                    .storedTransposed());
            specs.add(TensorSpec.normal(h + "attn.c_proj.weight", projection, d, d)
                    .storedTransposed());
            specs.add(TensorSpec.ones(h + "ln_2.weight", d));
            specs.add(TensorSpec.normal(h + "mlp.c_fc.weight", std, d, 2L * c.ffn())
                    .storedTransposed());
            specs.add(TensorSpec.normal(h + "mlp.c_proj.weight", projection, c.ffn(), d)
                    .storedTransposed());
        }
        specs.addAll(headTensors(c));
        return specs;
    }

    /** Buffers and the position table, which a rotary model does not use. */
    @Override
    public boolean ignores(String name) {
        return name.endsWith(".attn.masked_bias") || name.endsWith(".attn.bias") || name.contains("wpe.");
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
        return new LayerWeights(
                tensors.norm(h + "ln_1.weight"),
                tensors.transposedMatrix(new WeightId(layer, Part.QKV), h + "attn.c_attn.weight"),
                Optional.empty(),
                tensors.transposedMatrix(new WeightId(layer, Part.ATTN_OUT), h + "attn.c_proj.weight"),
                tensors.norm(h + "ln_2.weight"),
                tensors.transposedMatrix(new WeightId(layer, Part.GATE_UP), h + "mlp.c_fc.weight"),
                tensors.transposedMatrix(new WeightId(layer, Part.DOWN), h + "mlp.c_proj.weight"));
    }

    private static String block(ModelConfig c, int layer) {
        return c.tensorPrefix() + "h." + layer + ".";
    }
}
