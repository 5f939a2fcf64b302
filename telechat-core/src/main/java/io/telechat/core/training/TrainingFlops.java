// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.training;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;

/**
 * Multiplications and additions that training needs, as the share of a machine's peak is counted (Chowdhery et al. 2022,
 * arXiv:2204.02311, appendix B): products with weights, and attention's with what each token sees. The paper lets a token
 * see all of its sequence; here it is what comes before it. What is computed twice counts once.
 */
public final class TrainingFlops {
    private TrainingFlops() {}

    /** Products with weights, of a token forward: two operations for each weight that it is multiplied with. */
    public static double weightsPerToken(ModelConfig config) {
        long table = config.tiedHead() ? 0 : (long) config.vocabSize() * config.hidden();
        return 2.0 * (config.parameters() - table);
    }

    /**
     * Likewise of the products that gradient checkpointing computes again: those of all layers but the last, up to what their
     * backward pass needs, which the layer's last product is not.
     */
    public static double recomputedPerToken(ModelConfig config) {
        HeadLayout heads = config.heads();
        double layer = (double) config.hidden() * (heads.qkvWidth() + heads.queryWidth() + 2L * config.ffn());
        return 2 * layer * (config.layers() - 1);
    }

    /** Scores and weighted values of a sequence forward, in all layers. */
    public static double attention(ModelConfig config, long tokens) {
        double pairs = 0.5 * tokens * (tokens + 1);
        return 4.0 * config.heads().queryWidth() * config.layers() * pairs;
    }

    /**
     * Forward and backward.
     *
     * @param weightsBackward what the backward pass costs in forward passes, of products with weights: 2 where all weights
     *     have gradients. Attention always costs 2.
     */
    public static double of(ModelConfig config, Batch batch, double weightsBackward) {
        double attention = 0;
        for (Batch.Span span : batch.spans()) {
            attention += attention(config, span.count());
        }
        return (1 + weightsBackward) * weightsPerToken(config) * batch.size() + 3 * attention;
    }
}
