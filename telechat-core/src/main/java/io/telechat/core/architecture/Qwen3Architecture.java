// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import java.util.Set;

/** Qwen3, dense: norms of single heads in place of Qwen2's biases, and heads of a width of their own (Yang et al. 2025, arXiv:2505.09388). */
final class Qwen3Architecture extends LlamaLikeArchitecture {
    Qwen3Architecture() {
        super("Qwen3", "qwen3");
    }

    @Override
    Set<String> biasKeys() {
        return Set.of(ATTENTION_BIAS);
    }

    @Override
    boolean hasHeadNorm() {
        return true;
    }
}
