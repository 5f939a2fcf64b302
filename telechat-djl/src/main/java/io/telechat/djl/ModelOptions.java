// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.DType;
import io.telechat.infer.LoadOptions;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** Reads what {@code optOption} was given. */
final class ModelOptions {
    /** DJL's own. */
    private static final String MODEL_NAME = "modelName";

    private ModelOptions() {}

    static LoadOptions of(Map<String, ?> options) {
        LoadOptions.Builder load = LoadOptions.builder();
        options.forEach((name, value) -> set(load, name, String.valueOf(value)));
        return load.build();
    }

    private static void set(LoadOptions.Builder load, String name, String value) {
        switch (name) {
            case "weights" ->
                load.quantization(DType.quantizedByName(value)
                        .orElseThrow(() -> new InvalidRequestException("weights are '%s', must be q8 or q4", value)));
            case "kvCache" ->
                load.cacheType(DType.byName(value.toUpperCase(Locale.ROOT))
                        .or(() -> DType.quantizedByName(value))
                        .orElseThrow(() ->
                                new InvalidRequestException("kvCache is '%s', must be f32, f16, bf16 or q8", value)));
            case "contextLength" -> load.contextLength(number(name, value));
            case "maxBatch" -> load.maxBatch(number(name, value));
            case "threads" -> load.threads(number(name, value));
            case "backend" -> load.backend(value);
            case "tokenizer" -> load.tokenizer(Path.of(value));
            case "adapter" -> load.adapter(Path.of(value));
            case MODEL_NAME -> {}
            default ->
                throw new InvalidRequestException(
                        "the engine TeleChat has no option '%s'; there are weights, kvCache, contextLength, maxBatch,"
                                + " threads, backend, tokenizer, adapter",
                        name);
        }
    }

    private static int number(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new InvalidRequestException(e, "%s is '%s', must be a whole number", name, value);
        }
    }
}
