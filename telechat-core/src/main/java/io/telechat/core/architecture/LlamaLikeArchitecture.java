// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.ops.WeightId.Part;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the families that descend from Llama share: names, grouped queries, a gated feed-forward network, and one rotation for all
 * lengths (modeling_llama.py of transformers). Where they differ is in their own files.
 */
abstract class LlamaLikeArchitecture implements Architecture {
    /** Of queries, keys, values and of what leads back from attention. */
    static final String ATTENTION_BIAS = "attention_bias";

    /** Of all three matrices of the feed-forward network. */
    static final String MLP_BIAS = "mlp_bias";

    private final String name;
    private final String modelType;

    /** @param modelType what config.json calls the family */
    LlamaLikeArchitecture(String name, String modelType) {
        this.name = name;
        this.modelType = modelType;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final boolean matches(ConfigFile config, Set<String> tensorNames) {
        return config.text("model_type", "").equals(modelType);
    }

    /** Keys of biases, which not every family has. */
    Set<String> biasKeys() {
        return Set.of(ATTENTION_BIAS, MLP_BIAS);
    }

    /** The matrices of a layer that have a bias. */
    Set<Part> biased(ConfigFile config) {
        Set<Part> biased = EnumSet.noneOf(Part.class);
        if (config.flag(ATTENTION_BIAS, false)) {
            biased.addAll(Set.of(Part.QKV, Part.ATTN_OUT));
        }
        if (config.flag(MLP_BIAS, false)) {
            biased.addAll(Set.of(Part.GATE_UP, Part.DOWN));
        }
        return biased;
    }

    /** Whether queries and keys are normalised head by head. */
    boolean hasHeadNorm() {
        return false;
    }

    RopeScaling rope(ConfigFile config) {
        return RopeConfig.read(config, "yarn", RopeConfig.YARN_GROWTH);
    }

    @Override
    public final ModelConfig readConfig(ConfigFile config, Set<String> tensorNames) {
        config.requireUnderstood(withRope(biasKeys()));
        int hidden = config.positive("hidden_size", Limits.WIDTH);
        return new ModelConfig(
                this,
                config.positive("vocab_size", Limits.VOCABULARY),
                hidden,
                config.positive("num_hidden_layers", Limits.LAYERS),
                heads(config, hidden),
                hasHeadNorm(),
                config.positive("intermediate_size", Limits.WIDTH),
                (float) config.positiveNumber("rms_norm_eps", 1e-6),
                1,
                1,
                biased(config),
                config.flag("tie_word_embeddings", false),
                false,
                false,
                new FixedRope(rope(config)),
                config.positive("max_position_embeddings", Limits.CONTEXT, 2048),
                Integer.MAX_VALUE,
                config.positiveNumber("initializer_range", 0.02),
                "model.");
    }

    /** The keys of the rotation are obeyed by {@link RopeConfig}. */
    private static Set<String> withRope(Set<String> obeyed) {
        return Stream.concat(obeyed.stream(), Stream.of("rope_scaling", "rope_parameters"))
                .collect(Collectors.toUnmodifiableSet());
    }

    private static HeadLayout heads(ConfigFile config, int hidden) {
        int heads = config.positive("num_attention_heads", Limits.HEADS);
        return HeadConfig.of(
                config,
                "num_attention_heads",
                heads,
                config.positive("num_key_value_heads", Limits.HEADS, heads),
                config.has("head_dim")
                        ? config.positive("head_dim", Limits.WIDTH)
                        : config.divide("hidden_size", hidden, "num_attention_heads", heads));
    }

    @Override
    public final List<TensorSpec> tensors(ModelConfig c) {
        long d = c.hidden();
        HeadLayout heads = c.heads();
        List<TensorSpec> specs = new ArrayList<>();
        specs.add(TensorSpec.normal(embeddingName(c), c.initializerRange(), c.vocabSize(), d));
        for (int i = 0; i < c.layers(); i++) {
            String block = block(c, i);
            specs.add(TensorSpec.ones(block + "input_layernorm.weight", d));
            add(specs, c, Part.QKV, block + "self_attn.q_proj", heads.queryWidth(), d);
            add(specs, c, Part.QKV, block + "self_attn.k_proj", heads.kvWidth(), d);
            add(specs, c, Part.QKV, block + "self_attn.v_proj", heads.kvWidth(), d);
            if (c.headNorm()) {
                specs.add(TensorSpec.ones(block + "self_attn.q_norm.weight", heads.headDim()));
                specs.add(TensorSpec.ones(block + "self_attn.k_norm.weight", heads.headDim()));
            }
            add(specs, c, Part.ATTN_OUT, block + "self_attn.o_proj", d, heads.queryWidth());
            specs.add(TensorSpec.ones(block + "post_attention_layernorm.weight", d));
            add(specs, c, Part.GATE_UP, block + "mlp.gate_proj", c.ffn(), d);
            add(specs, c, Part.GATE_UP, block + "mlp.up_proj", c.ffn(), d);
            add(specs, c, Part.DOWN, block + "mlp.down_proj", d, c.ffn());
        }
        specs.addAll(headTensors(c));
        return specs;
    }

    private static void add(List<TensorSpec> specs, ModelConfig c, Part part, String name, long out, long in) {
        specs.add(TensorSpec.normal(name + ".weight", c.initializerRange(), out, in));
        if (c.biased().contains(part)) {
            specs.add(TensorSpec.zeros(name + ".bias", out));
        }
    }

    /** Old files hold the frequencies. A tied head may be written all the same. */
    @Override
    public final boolean ignores(String tensor) {
        return tensor.endsWith("rotary_emb.inv_freq") || tensor.equals("lm_head.weight");
    }

    @Override
    public final String embeddingName(ModelConfig c) {
        return c.tensorPrefix() + "embed_tokens.weight";
    }

    @Override
    public final String finalNormName(ModelConfig c) {
        return c.tensorPrefix() + "norm.weight";
    }

    @Override
    public final LayerWeights layer(ModelConfig c, int layer, WeightSource tensors) {
        String attention = block(c, layer) + "self_attn.";
        String mlp = block(c, layer) + "mlp.";
        return new LayerWeights(
                tensors.norm(block(c, layer) + "input_layernorm.weight"),
                matrix(c, new WeightId(layer, Part.QKV), tensors, attention, "q_proj", "k_proj", "v_proj"),
                c.headNorm()
                        ? Optional.of(new HeadNorms(
                                tensors.norm(attention + "q_norm.weight"), tensors.norm(attention + "k_norm.weight")))
                        : Optional.empty(),
                matrix(c, new WeightId(layer, Part.ATTN_OUT), tensors, attention, "o_proj"),
                tensors.norm(block(c, layer) + "post_attention_layernorm.weight"),
                matrix(c, new WeightId(layer, Part.GATE_UP), tensors, mlp, "gate_proj", "up_proj"),
                matrix(c, new WeightId(layer, Part.DOWN), tensors, mlp, "down_proj"));
    }

    private static Weight matrix(ModelConfig c, WeightId id, WeightSource tensors, String prefix, String... names) {
        boolean hasBias = c.biased().contains(id.part());
        return tensors.matrix(
                id,
                Stream.of(names)
                        .map(name -> new Weight.Block(
                                tensors.get(prefix + name + ".weight"),
                                hasBias ? Optional.of(tensors.get(prefix + name + ".bias")) : Optional.empty()))
                        .toList());
    }

    private static String block(ModelConfig c, int layer) {
        return c.tensorPrefix() + "layers." + layer + ".";
    }
}
