// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.WeightId.Part;
import java.util.EnumSet;
import java.util.Set;

/** Qwen1.5, Qwen2 and Qwen2.5, dense: queries, keys and values have biases, which no key says (Yang et al. 2024, arXiv:2407.10671). */
final class Qwen2Architecture extends LlamaLikeArchitecture {
    Qwen2Architecture() {
        super("Qwen2 (1.5, 2, 2.5)", "qwen2");
    }

    @Override
    Set<String> biasKeys() {
        return Set.of();
    }

    @Override
    Set<Part> biased(ConfigFile config) {
        return EnumSet.of(Part.QKV);
    }
}
