// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.WeightId;
import java.util.Set;

/**
 * The numbers of a decoder, in the names of the papers; each {@link Architecture} translates its own config.json.
 *
 * @param architecture which one this is
 * @param vocabSize rows of the embedding and of the head; may exceed the tokenizer's vocabulary
 * @param hidden width of the residual stream
 * @param layers number of decoder layers
 * @param heads attention heads
 * @param headNorm whether queries and keys are normalised head by head
 * @param ffn width of the gated feed-forward network
 * @param normEps epsilon of every RMSNorm
 * @param embeddingScale factor on embeddings (muP {@code input_mult}; 1 where there is none)
 * @param logitScale factor on logits (muP {@code output_mult/mup_scale_factor}; 1 where there is none)
 * @param biased the matrices of a layer that have a bias
 * @param tiedHead whether the head is the embedding table
 * @param embeddingNorm whether embeddings are normalised
 * @param residualAfterNorm whether the residual is taken behind each norm instead of before it
 * @param rope rotary position rule
 * @param contextLength tokens that a conversation may have by default
 * @param maxContextLength tokens beyond which the model is not defined; {@link Integer#MAX_VALUE} if NTK scaling goes on
 * @param initializerRange standard deviation of freshly initialised weights
 * @param tensorPrefix what the checkpoint puts before the names of the decoder's tensors
 */
public record ModelConfig(
        Architecture architecture,
        int vocabSize,
        int hidden,
        int layers,
        HeadLayout heads,
        boolean headNorm,
        int ffn,
        float normEps,
        float embeddingScale,
        float logitScale,
        Set<WeightId.Part> biased,
        boolean tiedHead,
        boolean embeddingNorm,
        boolean residualAfterNorm,
        RopeRule rope,
        int contextLength,
        int maxContextLength,
        double initializerRange,
        String tensorPrefix) {

    /** The same with other heads and another width of the feed-forward network: what a part of the model computes with. */
    ModelConfig withWidths(HeadLayout otherHeads, int otherFfn) {
        return new ModelConfig(
                architecture,
                vocabSize,
                hidden,
                layers,
                otherHeads,
                headNorm,
                otherFfn,
                normEps,
                embeddingScale,
                logitScale,
                biased,
                tiedHead,
                embeddingNorm,
                residualAfterNorm,
                rope,
                contextLength,
                maxContextLength,
                initializerRange,
                tensorPrefix);
    }

    /** Number of parameters of the tensors that the architecture lists. */
    public long parameters() {
        return architecture.tensors(this).stream()
                .mapToLong(t -> t.shape().elements())
                .sum();
    }
}
