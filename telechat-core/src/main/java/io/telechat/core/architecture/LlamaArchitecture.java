// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

/**
 * Llama 2, 3, 3.1 to 3.3 (Touvron et al. 2023, arXiv:2307.09288; Grattafiori et al. 2024, arXiv:2407.21783), in the files of
 * transformers, whose queries and keys lie in the order of a rotate-half rotation.
 */
final class LlamaArchitecture extends LlamaLikeArchitecture {
    LlamaArchitecture() {
        super("Llama (2, 3, 3.1)", "llama");
    }
}
