// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.architecture.ModelConfig;

/**
 * The numbers of a model.
 *
 * @param architecture its name, for people
 * @param parameters how many there are
 * @param layers how many there are
 * @param hidden elements of a hidden state
 * @param vocabSize ids that it knows
 * @param maxContextLength tokens of prompt and answer that its rotation is defined for
 */
public record ModelInfo(
        String architecture, long parameters, int layers, int hidden, int vocabSize, int maxContextLength) {
    static ModelInfo of(ModelConfig config) {
        return new ModelInfo(
                config.architecture().name(),
                config.parameters(),
                config.layers(),
                config.hidden(),
                config.vocabSize(),
                config.maxContextLength());
    }
}
