// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.WeightId.Part;
import java.util.EnumSet;
import java.util.Set;

/**
 * Llama 2, 3, 3.1 to 3.3 (Touvron et al. 2023, arXiv:2307.09288; Grattafiori et al. 2024, arXiv:2407.21783), in the files of
 * transformers, whose queries and keys lie in the order of a rotate-half rotation.
 */
final class LlamaArchitecture extends LlamaLikeArchitecture {
    private static final String ATTENTION_BIAS = "attention_bias";
    private static final String MLP_BIAS = "mlp_bias";

    LlamaArchitecture() {
        super("Llama (2, 3, 3.1)", "llama");
    }

    @Override
    Set<String> obeyed() {
        return Set.of(ATTENTION_BIAS, MLP_BIAS);
    }

    @Override
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
}
