// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The list of architectures. To add one, write its file and put it here. */
public final class Architectures {
    /** Asked in this order. */
    public static final List<Architecture> ALL = List.of(
            new TeleChat52bArchitecture(),
            new TeleChat2Architecture(),
            new TeleChatArchitecture(),
            new TeleChat3Architecture(),
            new LlamaArchitecture(),
            new Qwen3Architecture(),
            new Qwen2Architecture(),
            new QwenArchitecture());

    private Architectures() {}

    /**
     * The architecture of a checkpoint.
     *
     * @throws InvalidModelException if it is none that we know
     */
    public static Architecture of(ConfigFile config, Set<String> tensorNames) {
        return ALL.stream()
                .filter(a -> a.matches(config, tensorNames))
                .findFirst()
                .orElseThrow(() -> unknown(config));
    }

    private static InvalidModelException unknown(ConfigFile config) {
        String known = ALL.stream().map(Architecture::name).collect(Collectors.joining(", "));
        if (!config.has("model_type")) {
            return new InvalidModelException(
                    "%s: 'model_type' is missing; known architectures: %s", config.path(), known);
        }
        String modelType = config.text("model_type", "");
        return new InvalidModelException(
                "%s: model_type '%s' is not computed%s; known architectures: %s",
                config.path(), modelType, missing(modelType), known);
    }

    /**
     * What a well-known family needs that no architecture here has yet. TeleChat3-105B-A4.7B is published as deepseek_v3; its file
     * would stand beside TeleChat3Architecture, its latent attention beside the products of {@code LayerWeights.qkv}, its experts in
     * place of the feed-forward network of {@code DecoderLayer}.
     */
    private static Message missing(String modelType) {
        return switch (modelType) {
            case "deepseek_v3", "deepseek_v2", "telechat3_moe" ->
                Message.of(" (TeleChat3-105B-A4.7B and its relatives need multi-head latent attention and routed"
                        + " experts)");
            case "qwen2_moe", "qwen3_moe", "mixtral", "qwen3_next" -> Message.of(" (it needs routed experts)");
            default -> Message.of("");
        };
    }
}
