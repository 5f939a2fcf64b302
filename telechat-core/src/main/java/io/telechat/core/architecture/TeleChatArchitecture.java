// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.ops.WeightId.Part;
import io.telechat.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * TeleChat 1B, 7B, 12B and 12B-V2: separate {@code query} and {@code key_value} (interleaved per head), gate, up and
 * down, biases on {@code dense} and {@code down_proj} (modeling_telechat.py of TeleChat).
 */
class TeleChatArchitecture implements Architecture {
    private static final String PREFIX = "transformer.";
    /** Lengths at which the NTK factor starts to grow: literals in the reference's 7B and 12B code. */
    private static final int NTK_BASE_TIED = 4096;

    private static final int NTK_BASE_UNTIED = 8192;
    static final double THETA = 10_000;

    @Override
    public String name() {
        return "TeleChat (1B, 7B, 12B)";
    }

    @Override
    public boolean matches(ConfigFile config, Set<String> tensorNames) {
        return config.text("model_type", "").equals("telechat") && config.has("hidden_size");
    }

    @Override
    public ModelConfig readConfig(ConfigFile config, Set<String> tensorNames) {
        int hidden = config.positive("hidden_size", Limits.WIDTH);
        double theta = theta(config);
        config.requireUnderstood(theta);
        config.requireSame("layer_norm_epsilon", "rms_norm_eps", 1e-5);
        int heads = config.positive("n_head", Limits.HEADS);
        int kvHeads = config.positive("num_key_value_heads", Limits.HEADS, heads);
        boolean tied = config.flag("tie_word_embeddings", true); // the framework's default, which the 7B relies on
        int trained = config.positive("training_seqlen", Limits.CONTEXT, 8192);
        return new ModelConfig(
                this,
                config.positive("vocab_size", Limits.VOCABULARY),
                hidden,
                config.positive("n_layer", Limits.LAYERS),
                HeadConfig.read(config, "hidden_size", hidden, heads, kvHeads),
                false,
                config.positive("ffn_hidden_size", Limits.WIDTH, 4 * hidden),
                (float) config.positiveNumber("layer_norm_epsilon", 1e-5),
                1,
                1,
                Set.of(Part.ATTN_OUT, Part.DOWN),
                tied,
                config.flag("embed_layernorm", false),
                config.flag("apply_residual_connection_post_layernorm", false),
                ropeRule(config, new NtkBase(theta, hidden / heads, trained), tied),
                contextLength(config, trained),
                maxContextLength(trained),
                config.positiveNumber("initializer_range", 0.02),
                prefix(tensorNames, tied));
    }

    /** The 7B was published without the prefix; a new model gets the names of its published sibling. */
    private static String prefix(Set<String> tensorNames, boolean tied) {
        if (tensorNames.isEmpty()) {
            return tied ? "" : PREFIX;
        }
        return tensorNames.contains(PREFIX + "word_embeddings.weight") ? PREFIX : "";
    }

    /** Of the rotation; the published code of these models has a literal in its place. */
    double theta(ConfigFile config) {
        return THETA;
    }

    RopeRule ropeRule(ConfigFile config, NtkBase rotation, boolean tied) {
        return new PerCallNtk(rotation, tied ? NTK_BASE_TIED : NTK_BASE_UNTIED);
    }

    /**
     * What every scaling of a model starts from.
     *
     * @param theta base of the frequencies
     * @param trained length below which nothing is scaled
     */
    record NtkBase(double theta, int headDim, int trained) {
        /** The scaling of a length, never below the trained one; its NTK factor begins to grow at {@code base}. */
        RopeScaling scaling(int tokens, int base) {
            int length = Math.max(tokens, trained);
            double scaled = theta * Math.pow(RopeRule.ntkAlpha(length, base), headDim / (headDim - 2.0));
            double magnitude = length <= trained ? 1 : 0.1 * Math.log((double) length / trained) + 1;
            return new RopeScaling(scaled, magnitude, true);
        }
    }

    int contextLength(ConfigFile config, int trained) {
        return trained;
    }

    /** The reference's tables end at the trained length, and its cached decode with them. */
    int maxContextLength(int trained) {
        return trained;
    }

    /** Scaling by the length of the call, so that a step of one token falls back to that of the trained length. */
    private record PerCallNtk(NtkBase rotation, int base) implements RopeRule {
        @Override
        public RopeScaling scaling(int promptTokens, int callTokens, int totalTokens) {
            return rotation.scaling(callTokens, base);
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
        if (c.embeddingNorm()) {
            specs.add(TensorSpec.ones(embeddingNormName(c), d));
        }
        for (int i = 0; i < c.layers(); i++) {
            String h = block(c, i);
            specs.add(TensorSpec.ones(h + "input_layernorm.weight", d));
            specs.add(TensorSpec.normal(h + "self_attention.query.weight", std, d, d));
            specs.add(TensorSpec.normal(
                            h + "self_attention.key_value.weight",
                            std,
                            2L * c.heads().kvWidth(),
                            d)
                    .inPiecesOf(c.heads().headDim()));
            specs.add(TensorSpec.normal(h + "self_attention.dense.weight", std, d, d));
            specs.add(TensorSpec.zeros(h + "self_attention.dense.bias", d));
            specs.add(TensorSpec.ones(h + "post_attention_layernorm.weight", d));
            specs.add(TensorSpec.normal(h + "mlp.gate_proj.weight", std, f, d));
            specs.add(TensorSpec.normal(h + "mlp.up_proj.weight", std, f, d));
            specs.add(TensorSpec.normal(h + "mlp.down_proj.weight", std, d, f));
            specs.add(TensorSpec.zeros(h + "mlp.down_proj.bias", d));
        }
        specs.addAll(headTensors(c));
        return specs;
    }

    @Override
    public boolean ignores(String name) {
        return name.endsWith("rotary_emb.inv_freq") || name.endsWith("rotary_embedding.inv_freq");
    }

    @Override
    public String embeddingName(ModelConfig c) {
        return c.tensorPrefix() + "word_embeddings.weight";
    }

    @Override
    public String embeddingNormName(ModelConfig c) {
        return c.tensorPrefix() + "word_embeddings_layernorm.weight";
    }

    @Override
    public String finalNormName(ModelConfig c) {
        return c.tensorPrefix() + "ln_f.weight";
    }

    @Override
    public LayerWeights layer(ModelConfig c, int layer, WeightSource tensors) {
        String h = block(c, layer);
        return new LayerWeights(
                tensors.norm(h + "input_layernorm.weight"),
                tensors.matrix(
                        new WeightId(layer, Part.QKV),
                        queryKeyValue(
                                c,
                                tensors.get(h + "self_attention.query.weight"),
                                tensors.get(h + "self_attention.key_value.weight"))),
                Optional.empty(),
                tensors.matrix(new WeightId(layer, Part.ATTN_OUT), withBias(tensors, h + "self_attention.dense")),
                tensors.norm(h + "post_attention_layernorm.weight"),
                tensors.matrix(
                        new WeightId(layer, Part.GATE_UP),
                        tensors.get(h + "mlp.gate_proj.weight"),
                        tensors.get(h + "mlp.up_proj.weight")),
                tensors.matrix(new WeightId(layer, Part.DOWN), withBias(tensors, h + "mlp.down_proj")));
    }

    /** The checkpoint has key and value of head 0, then of head 1 …; views put all keys before all values. */
    private static Tensor[] queryKeyValue(ModelConfig c, Tensor query, Tensor keyValue) {
        int headDim = c.heads().headDim();
        List<Tensor> blocks = new ArrayList<>();
        blocks.add(query);
        for (int part = 0; part < 2; part++) {
            for (int head = 0; head < c.heads().kvHeads(); head++) {
                long row = (2L * head + part) * headDim;
                blocks.add(keyValue.rows(row, row + headDim));
            }
        }
        return blocks.toArray(Tensor[]::new);
    }

    private static List<Weight.Block> withBias(WeightSource tensors, String name) {
        return List.of(Weight.Block.of(tensors.get(name + ".weight"), tensors.get(name + ".bias")));
    }

    private static String block(ModelConfig c, int layer) {
        return c.tensorPrefix() + "h." + layer + ".";
    }
}
