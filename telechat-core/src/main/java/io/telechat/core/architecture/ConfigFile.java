// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.core.checkpoint.ModelFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A config.json whose values are checked when they are read; every complaint names the file, the key and the value. */
public final class ConfigFile {
    /** A key whose other values are named in {@link #ROPE_RULES}. */
    private static final String ROPE_SCALING = "rope_scaling";

    private static final KeyRules RULES = KeyRules.saying("'%s' is %s, which telechat does not compute")
            .only(ROPE_SCALING, JsonNode::isObject)
            .only("rope_parameters", JsonNode::isObject)
            .only("hidden_act", "silu", "swish")
            .only("activation_function", "silu", "swish")
            .only("hidden_activation", "silu", "swish")
            .only("partial_rotary_factor", 1)
            .only("rotary_pct", 1)
            .only("logits_scaling", 1)
            .only("embedding_multiplier", 1)
            .only("residual_multiplier", 1)
            .only("layer_types", ConfigFile::attendsFully)
            .refuse(
                    "quantization_config",
                    "compression_config",
                    "use_sliding_window",
                    "use_dynamic_ntk",
                    "use_logn_attn",
                    "logn",
                    "semi_causal",
                    "alibi",
                    "attention_bias",
                    "mlp_bias",
                    "use_qk_norm",
                    "qk_layernorm",
                    "num_experts",
                    "num_local_experts",
                    "n_routed_experts",
                    "moe_intermediate_size",
                    "kv_lora_rank",
                    "attn_logit_softcapping",
                    "final_logit_softcapping",
                    "add_cross_attention",
                    "is_encoder_decoder");

    private static final KeyRules ROPE_RULES = KeyRules.saying(
                    "'%s' is %s, which telechat does not compute for this architecture")
            .only("rope_type", "default")
            .only("type", "default")
            .only("factor", 1)
            .only("partial_rotary_factor", 1)
            .refuse("mscale", "mscale_all_dim", "short_factor", "long_factor", "attention_factor");

    private final Path path;
    private final JsonNode json;

    private ConfigFile(Path path, JsonNode json) {
        this.path = path;
        this.json = json;
    }

    /** @throws InvalidModelException if the file is missing, or is not a JSON object */
    public static ConfigFile read(Path path) {
        return new ConfigFile(path, JsonFiles.readObject(path));
    }

    /**
     * That of a model.
     *
     * @throws InvalidModelException likewise
     */
    public static ConfigFile of(ModelFiles files) {
        return new ConfigFile(files.path("config.json"), files.json("config.json"));
    }

    public Path path() {
        return path;
    }

    public boolean has(String key) {
        return json.hasNonNull(key);
    }

    public boolean flag(String key, boolean fallback) {
        return has(key) ? json.get(key).asBoolean(fallback) : fallback;
    }

    public String text(String key, String fallback) {
        return has(key) ? json.get(key).asText(fallback) : fallback;
    }

    /** Whether an array has this text in it. */
    boolean lists(String key, String text) {
        for (JsonNode element : json.path(key)) {
            if (element.asText().equals(text)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Refuses a checkpoint that asks for something else than what we compute.
     *
     * @param only the one value that the key may have, if it is there
     */
    public void require(String key, String only) {
        if (has(key) && !json.get(key).asText().equals(only)) {
            throw new InvalidModelException(
                    "%s: '%s' is %s; of this architecture, telechat computes %s only",
                    path, key, shorten(json.get(key)), only);
        }
    }

    /**
     * Refuses a checkpoint with a key that would change what is computed, and that no architecture here obeys.
     *
     * @param theta base of the rotation that the architecture computes with
     */
    void requireUnderstood(double theta) {
        requireUnderstood(Set.of());
        requireTheta(json.path("rope_theta"), "rope_theta", theta);
        JsonNode rope = json.path("rope_parameters");
        ROPE_RULES.check("%s: 'rope_parameters'".formatted(path), rope);
        requireTheta(rope.path("rope_theta"), "rope_parameters.rope_theta", theta);
        JsonNode scaling = json.path("rope_scaling");
        if (scaling.isObject()) {
            ROPE_RULES.check("%s: 'rope_scaling'".formatted(path), scaling);
        }
    }

    /**
     * Likewise, where the architecture reads the rotation itself.
     *
     * @param obeyed keys that it obeys, though others do not
     */
    void requireUnderstood(Set<String> obeyed) {
        RULES.without(obeyed).check(path, json);
    }

    private static boolean attendsFully(JsonNode layers) {
        for (JsonNode layer : layers) {
            if (!layer.asText().equals("full_attention")) {
                return false;
            }
        }
        return layers.isArray();
    }

    private void requireTheta(JsonNode value, String key, double theta) {
        if (!value.isMissingNode() && !value.isNull() && !(value.isNumber() && value.doubleValue() == theta)) {
            throw new InvalidModelException(
                    "%s: '%s' is %s; of this architecture, telechat computes %.0f only",
                    path, key, shorten(value), theta);
        }
    }

    /** Refuses two keys for one number that say different things; the one that is obeyed counts if both are there. */
    public void requireSame(String obeyed, String alias, double value) {
        if (!has(obeyed) && has(alias) && json.get(alias).doubleValue() != value) {
            throw new InvalidModelException(
                    "%s: '%s' is %s; of this architecture, telechat reads '%s'",
                    path, alias, shorten(json.get(alias)), obeyed);
        }
    }

    /** The object under a key; an empty one where there is none. */
    ConfigFile object(String key) {
        if (!has(key)) {
            return new ConfigFile(path, JsonNodeFactory.instance.objectNode());
        }
        JsonNode value = json.get(key);
        if (!value.isObject()) {
            throw new InvalidModelException("%s: '%s' is %s, must be an object", path, key, shorten(value));
        }
        return new ConfigFile(path, value);
    }

    /**
     * Refuses what rules refuse.
     *
     * @param name of this object within the file
     */
    void check(KeyRules rules, String name) {
        rules.check("%s: '%s'".formatted(path, name), json);
    }

    /** The keys that have a value. */
    List<String> keys() {
        return json.properties().stream()
                .filter(e -> !e.getValue().isNull())
                .map(Map.Entry::getKey)
                .toList();
    }

    /** An integer in [1, max]. */
    public int positive(String key, int max) {
        JsonNode value = json.get(key);
        if (value == null || value.isNull()) {
            throw new InvalidModelException("%s: '%s' is missing", path, key);
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1 || value.intValue() > max) {
            throw new InvalidModelException(
                    "%s: '%s' is %s, must be an integer from 1 to %,d", path, key, shorten(value), max);
        }
        return value.intValue();
    }

    /** Likewise, for a key that may be absent or null. */
    public int positive(String key, int max, int fallback) {
        return has(key) ? positive(key, max) : fallback;
    }

    /** A finite number above 0. */
    public double positiveNumber(String key, double fallback) {
        if (!has(key)) {
            return fallback;
        }
        JsonNode value = json.get(key);
        if (!value.isNumber() || !(value.doubleValue() > 0) || Double.isInfinite(value.doubleValue())) {
            throw new InvalidModelException("%s: '%s' is %s, must be a number above 0", path, key, shorten(value));
        }
        return value.doubleValue();
    }

    /** {@code whole / part}, which must come out even. */
    public int divide(String wholeKey, int whole, String partKey, int part) {
        if (whole % part != 0) {
            throw new InvalidModelException(
                    "%s: '%s' = %d cannot be divided by '%s' = %d", path, wholeKey, whole, partKey, part);
        }
        return whole / part;
    }

    private static String shorten(JsonNode value) {
        String text = value.toString();
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }
}
