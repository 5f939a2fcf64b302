// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * Scalings of the rotation, between config.json's {@code rope_scaling} and GGUF's keys. Of Llama 3's there are no keys but a
 * tensor with what each frequency is divided by; from our own files we know the numbers, for others the published ones are
 * tried, and the tensor decides.
 */
final class GgufRope {
    private static final String SCALING = "rope.scaling.";
    /** Keys of our own beside the tensor of Llama 3's scaling. */
    private static final String OWN = "telechat.rope.";

    private static final double TOLERANCE = 1e-5;

    private GgufRope() {}

    /** Llama 3's scaling; the numbers of Llama 3.1 and 3.2, but for the factor. */
    record Llama3(double factor, double low, double high, int original) {
        static Llama3 published(double factor) {
            return new Llama3(factor, 1, 4, 8192);
        }

        static Llama3 of(JsonNode scaling) {
            return new Llama3(
                    scaling.path("factor").asDouble(),
                    scaling.path("low_freq_factor").asDouble(),
                    scaling.path("high_freq_factor").asDouble(),
                    scaling.path("original_max_position_embeddings").asInt());
        }

        /** What the frequencies theta^(-2i/headDim) are divided by. */
        float[] divisors(double theta, int headDim) {
            float[] divisors = new float[headDim / 2];
            for (int i = 0; i < divisors.length; i++) {
                double wave = 2 * Math.PI * Math.pow(theta, 2.0 * i / headDim);
                double smooth = (original / wave - low) / (high - low);
                double kept = Math.clamp(smooth, 0, 1);
                divisors[i] = (float) (1 / ((1 - kept) / factor + kept));
            }
            return divisors;
        }

        private boolean fits(float[] divisors, double theta) {
            float[] own = divisors(theta, 2 * divisors.length);
            for (int i = 0; i < own.length; i++) {
                if (!(Math.abs(own[i] - divisors[i]) <= TOLERANCE * own[i])) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Adds {@code rope_theta} and {@code rope_scaling}. */
    static void read(GgufModel model, ObjectNode config) {
        GgufMetadata metadata = model.metadata();
        String prefix = model.architecture() + ".";
        double theta = metadata.number(prefix + "rope.freq_base").orElse(10_000.0);
        config.put("rope_theta", theta);
        double factor = metadata.number(prefix + SCALING + "factor")
                .filter(f -> f != 0)
                .or(() -> metadata.number(prefix + "rope.scale_linear"))
                .orElse(1.0);
        String type = metadata.text(prefix + SCALING + "type").orElse(factor == 1 ? "none" : "linear");
        switch (type) {
            case "none" -> {}
            case "linear" -> {
                if (factor != 1) {
                    config.putObject("rope_scaling").put("rope_type", "linear").put("factor", factor);
                }
            }
            case "yarn" -> yarn(metadata, prefix, factor, config.putObject("rope_scaling"));
            default -> throw refused(metadata, prefix + SCALING + "type", type);
        }
        GgufFile.Stored divisors = model.tensors().get(GgufNames.ROPE_FACTORS);
        if (divisors != null) {
            llama3(metadata, theta, floats(metadata, divisors, model.headDim() / 2), config);
        }
    }

    private static InvalidModelException refused(GgufMetadata metadata, String key, Object value) {
        return new InvalidModelException(
                "%s: %s", metadata.path(), Message.of("'%s' is %s, which telechat does not compute", key, value));
    }

    private static void yarn(GgufMetadata metadata, String prefix, double factor, ObjectNode scaling) {
        for (String key : List.of("attn_factor", "yarn_attn_factor", "yarn_ext_factor", "yarn_log_multiplier")) {
            double harmless = key.equals("yarn_log_multiplier") ? 0 : 1;
            metadata.number(prefix + SCALING + key)
                    .filter(value -> value != harmless)
                    .ifPresent(value -> {
                        throw refused(metadata, prefix + SCALING + key, value);
                    });
        }
        scaling.put("rope_type", "yarn");
        scaling.put("factor", factor);
        scaling.put(
                "original_max_position_embeddings",
                metadata.requiredInteger(prefix + SCALING + "original_context_length"));
        for (String beta : List.of("beta_fast", "beta_slow")) {
            metadata.number(prefix + SCALING + "yarn_" + beta).ifPresent(value -> scaling.put(beta, value));
        }
    }

    private static float[] floats(GgufMetadata metadata, GgufFile.Stored tensor, int count) {
        if (tensor.type() != GgufType.F32 || tensor.shape().elements() != count) {
            throw new InvalidModelException(
                    "%s: tensor '%s' is %s %s, must be %d floats",
                    metadata.path(), GgufNames.ROPE_FACTORS, tensor.type(), tensor.shape(), count);
        }
        float[] values = new float[count];
        GgufBlocks.dequantize(GgufType.F32, tensor.data(), values);
        return values;
    }

    private static void llama3(GgufMetadata metadata, double theta, float[] divisors, ObjectNode config) {
        double largest = 1;
        boolean none = true;
        for (float divisor : divisors) {
            largest = Math.max(largest, divisor);
            none &= divisor == 1;
        }
        if (none) {
            return;
        }
        Llama3 found = Stream.concat(
                        own(metadata).stream(),
                        DoubleStream.of(largest, 8, 16, 32).mapToObj(Llama3::published))
                .filter(candidate -> candidate.fits(divisors, theta))
                .findFirst()
                .filter(candidate -> !config.has("rope_scaling"))
                .orElseThrow(() -> new InvalidModelException(
                        "%s: tensor '%s' is not the scaling of Llama 3.1 or 3.2, the only one of its kind that telechat"
                                + " computes",
                        metadata.path(), GgufNames.ROPE_FACTORS));
        config.putObject("rope_scaling")
                .put("rope_type", "llama3")
                .put("factor", found.factor())
                .put("low_freq_factor", found.low())
                .put("high_freq_factor", found.high())
                .put("original_max_position_embeddings", found.original());
    }

    private static Optional<Llama3> own(GgufMetadata metadata) {
        return metadata.has(OWN + "factor")
                ? Optional.of(new Llama3(
                        metadata.number(OWN + "factor").orElse(1.0),
                        metadata.number(OWN + "low_freq_factor").orElse(1.0),
                        metadata.number(OWN + "high_freq_factor").orElse(4.0),
                        metadata.requiredInteger(OWN + "original_context_length")))
                : Optional.empty();
    }

    private static JsonNode scaling(JsonNode config) {
        return config.path(config.path("rope_parameters").isObject() ? "rope_parameters" : "rope_scaling");
    }

    /** Base of the rotation. */
    static double theta(JsonNode config) {
        return (config.hasNonNull("rope_theta") ? config : scaling(config))
                .path("rope_theta")
                .asDouble(10_000);
    }

    /**
     * Writes theta and scaling.
     *
     * @param source of the configuration, for complaints
     * @return Llama 3's scaling, which takes a tensor
     * @throws InvalidModelException if GGUF has no way to say it
     */
    static Optional<Llama3> write(Object source, JsonNode config, String prefix, GgufValues values) {
        JsonNode scaling = scaling(config);
        values.number(prefix + "rope.freq_base", theta(config));
        String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
        double factor = scaling.path("factor").asDouble(1);
        switch (type) {
            case "default" -> {}
            case "linear" -> {
                values.text(prefix + SCALING + "type", "linear");
                values.number(prefix + SCALING + "factor", factor);
            }
            case "yarn" -> {
                if (scaling.hasNonNull("attention_factor")) {
                    throw inexpressible(source, "attention_factor", scaling.path("attention_factor"));
                }
                values.text(prefix + SCALING + "type", "yarn");
                values.number(prefix + SCALING + "factor", factor);
                values.integer(
                        prefix + SCALING + "original_context_length",
                        scaling.path("original_max_position_embeddings").asInt());
                for (String beta : List.of("beta_fast", "beta_slow")) {
                    if (scaling.hasNonNull(beta)) {
                        values.number(
                                prefix + SCALING + "yarn_" + beta,
                                scaling.path(beta).asDouble());
                    }
                }
            }
            case "llama3" -> {
                Llama3 llama3 = Llama3.of(scaling);
                values.number(OWN + "factor", llama3.factor());
                values.number(OWN + "low_freq_factor", llama3.low());
                values.number(OWN + "high_freq_factor", llama3.high());
                values.integer(OWN + "original_context_length", llama3.original());
                return Optional.of(llama3);
            }
            default -> throw inexpressible(source, "rope_type", type);
        }
        return Optional.empty();
    }

    private static InvalidModelException inexpressible(Object source, String key, Object value) {
        return new InvalidModelException("%s: '%s' is %s, which GGUF has no key for", source, key, value);
    }
}
