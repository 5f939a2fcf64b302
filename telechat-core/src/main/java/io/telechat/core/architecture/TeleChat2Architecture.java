// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.RopeScaling;
import java.util.Set;

/**
 * TeleChat2, 3B to 115B, TeleChat2.5 and T1: as {@link TeleChatArchitecture}, with grouped-query attention where the configuration has it,
 * and a rotation that goes on growing with the total length (modeling_telechat.py of TeleChat2).
 */
final class TeleChat2Architecture extends TeleChatArchitecture {
    @Override
    public String name() {
        return "TeleChat2";
    }

    @Override
    public boolean matches(ConfigFile config, Set<String> tensorNames) {
        return super.matches(config, tensorNames) && (config.has("base_seqlen") || config.has("num_key_value_heads"))
                || config.text("model_type", "").equals("telechat2")
                || config.lists("architectures", "TeleChat2ForCausalLM");
    }

    /** The checkpoints for long contexts name another one. */
    @Override
    double theta(ConfigFile config) {
        return config.positiveNumber("rope_theta", THETA);
    }

    @Override
    RopeRule ropeRule(ConfigFile config, NtkBase rotation, boolean tied) {
        return new GrowingNtk(rotation, config.positive("base_seqlen", Limits.CONTEXT, rotation.trained()));
    }

    @Override
    int contextLength(ConfigFile config, int trained) {
        return config.positive("seq_length", Limits.CONTEXT, trained);
    }

    @Override
    int maxContextLength(int trained) {
        return Integer.MAX_VALUE;
    }

    /** Scaling by the total length; keys keep the rotation under which they were stored. */
    private record GrowingNtk(NtkBase rotation, int base) implements RopeRule {
        @Override
        public RopeScaling scaling(int promptTokens, int callTokens, int totalTokens) {
            return rotation.scaling(totalTokens, base);
        }

        @Override
        public boolean turnsCachedKeys() {
            return false;
        }
    }
}
