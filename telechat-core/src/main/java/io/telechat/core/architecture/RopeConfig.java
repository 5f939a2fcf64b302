// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.core.ops.FrequencyScaling;
import io.telechat.core.ops.RopeScaling;
import java.util.List;
import java.util.Set;

/**
 * Reads the rotation of a configuration as transformers writes it: {@code rope_theta} beside {@code rope_scaling}, or from release
 * 5 on all in {@code rope_parameters}. What is not computed is refused by name rather than passed over.
 */
final class RopeConfig {
    private static final double THETA = 10_000;
    private static final double BETA_FAST = 32;
    private static final double BETA_SLOW = 1;

    /** Growth of magnitude with the logarithm of the factor (Peng et al. 2023, arXiv:2309.00071, equation 15). */
    static final double YARN_GROWTH = 0.1;

    private static final Set<String> KEYS = Set.of(
            "rope_type",
            "type",
            "rope_theta",
            "factor",
            "original_max_position_embeddings",
            "low_freq_factor",
            "high_freq_factor",
            "beta_fast",
            "beta_slow",
            "attention_factor",
            "truncate",
            "partial_rotary_factor");

    /** Keys whose only value that is computed is the usual one. */
    private static final KeyRules RULES = KeyRules.saying("'%s' is %s, which telechat does not compute")
            .exactly("truncate", true)
            .only("partial_rotary_factor", 1);

    private final ConfigFile config;
    private final String key;
    private final ConfigFile rope;

    private RopeConfig(ConfigFile config, String key) {
        this.config = config;
        this.key = key;
        this.rope = config.object(key);
    }

    /**
     * @param yarn what this family calls YaRN
     * @param yarnGrowth of its magnitude
     * @throws InvalidModelException if it asks for anything else
     */
    static RopeScaling read(ConfigFile config, String yarn, double yarnGrowth) {
        RopeScaling older = new RopeConfig(config, "rope_scaling").scaling(yarn, yarnGrowth);
        if (!config.has("rope_parameters")) {
            return older;
        }
        RopeScaling scaling = new RopeConfig(config, "rope_parameters").scaling(yarn, yarnGrowth);
        if (config.has("rope_scaling") && !older.frequencies().equals(scaling.frequencies())) {
            throw new InvalidModelException(
                    "%s: 'rope_scaling' and 'rope_parameters' say different things", config.path());
        }
        return scaling;
    }

    private RopeScaling scaling(String yarn, double yarnGrowth) {
        double theta = rope.positiveNumber("rope_theta", config.positiveNumber("rope_theta", THETA));
        String type = rope.text("rope_type", rope.text("type", "default"));
        boolean isYarn = type.equals(yarn);
        FrequencyScaling frequencies = isYarn ? yarn() : frequencies(type, yarn);
        requireKnownKeys(); // behind the type, which says more than a key of a type that is not computed
        double magnitude =
                isYarn ? rope.positiveNumber("attention_factor", yarnGrowth * Math.log(Math.max(factor(), 1)) + 1) : 1;
        return new RopeScaling(theta, frequencies, magnitude, false, 0);
    }

    private void requireKnownKeys() {
        for (String name : rope.keys()) {
            if (!KEYS.contains(name)) {
                throw new InvalidModelException(
                        "%s: '%s.%s' is none of the keys that telechat computes with", config.path(), key, name);
            }
        }
        rope.check(RULES, key);
    }

    private FrequencyScaling frequencies(String type, String yarn) {
        return switch (type) {
            case "default" -> FrequencyScaling.NONE;
            case "linear" -> FrequencyScaling.linear(factor());
            case "llama3" ->
                FrequencyScaling.llama3(factor(), original(), number("low_freq_factor"), number("high_freq_factor"));
            default ->
                throw new InvalidModelException(
                        "%s: '%s' is of type '%s', which telechat does not compute; for this family, it computes %s",
                        config.path(), key, type, List.of("default", "linear", "llama3", yarn));
        };
    }

    private FrequencyScaling yarn() {
        return FrequencyScaling.yarn(
                factor(),
                original(),
                rope.positiveNumber("beta_slow", BETA_SLOW),
                rope.positiveNumber("beta_fast", BETA_FAST));
    }

    private double factor() {
        return number("factor");
    }

    /** The length before it was stretched; where none is named, the one that the configuration has. */
    private int original() {
        String name = "original_max_position_embeddings";
        return rope.has(name)
                ? rope.positive(name, Limits.CONTEXT)
                : config.positive("max_position_embeddings", Limits.CONTEXT);
    }

    private double number(String name) {
        if (!rope.has(name)) {
            throw new InvalidModelException("%s: '%s.%s' is missing", config.path(), key, name);
        }
        return rope.positiveNumber(name, 1);
    }
}
