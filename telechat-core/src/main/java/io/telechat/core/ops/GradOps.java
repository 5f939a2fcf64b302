// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.Tensor;
import java.util.List;

/**
 * The backward formulas of a decoder, the loss and the optimizer; the partner of {@link Ops}. A gradient of an activation is
 * written; a gradient of a parameter is added to what
 * is there. {@code d…} is the derivative of the loss by that tensor. All tensors are F32, but
 * activations, and what takes their place, where a backend keeps these as BF16
 * ({@link io.telechat.core.backend.Backend#activations}).
 */
public interface GradOps {
    /**
     * {@code dTable[tokens[t]] += scale · dOut[t]}.
     *
     * @param dOut [tokens, hidden]
     * @param dTable [rows, hidden]
     */
    void embedBackward(int[] tokens, Tensor dOut, float scale, Tensor dTable);

    /**
     * With {@code g = dy · weight} and {@code x̂ = x · rstd}: {@code dx = residual + rstd · (g − x̂ · mean(g · x̂))} and
     * {@code dWeight += Σ_t dy · x̂}.
     *
     * @param x [tokens, hidden], what the norm was given
     * @param rstd [tokens], as {@link Ops#rmsNorm} left it
     * @param dy [tokens, hidden]
     * @param residual [tokens, hidden], gradient that goes past the norm; may be {@code dx}
     * @param dx [tokens, hidden]; may be {@code dy} or {@code residual}
     * @param dWeight [hidden]
     */
    void rmsNormBackward(Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx, Tensor dWeight);

    /**
     * {@code dx = dy · W}.
     *
     * @param dy [tokens, out]
     * @param dx [tokens, in]
     * @param add whether to add to what is in {@code dx}
     */
    void linearInputGrad(Tensor dy, Weight w, Tensor dx, boolean add);

    /**
     * {@code dW += dyᵀ · x} and {@code dBias += Σ_t dy}.
     *
     * @param x [tokens, in]
     * @param dy [tokens, out]
     * @param dW blocks and bias in the order of the weight's
     */
    void linearWeightGrad(Tensor x, Tensor dy, Weight dW);

    /**
     * Turns the gradients of rotated queries and keys back: the transposed rotation of {@link Ops#rope}, in place, with the same
     * factors on queries.
     */
    void ropeBackward(Tensor dQkv, HeadLayout heads, Batch batch);

    /**
     * The gradient of {@link Ops#attention} over the rows of each span (Dao et al. 2022, arXiv:2205.14135, algorithm 4): with
     * {@code P = exp(q·kᵀ/√headDim − lse)} and {@code δ = Σ dOut · out}, {@code dV = Pᵀ·dOut},
     * {@code dS = P · (dOut·vᵀ − δ)/√headDim}, {@code dQ = dS·k}, {@code dK = dSᵀ·q}.
     *
     * @param qkv [tokens, queries | keys | values], rotated
     * @param out [tokens, queries]
     * @param lse [tokens, heads]
     * @param dOut [tokens, queries]
     * @param dQkv [tokens, queries | keys | values]
     */
    void attentionBackward(Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv);

    /**
     * With {@code s = 1/(1 + e^(−gate))}: {@code dGate = dOut · up · s · (1 + gate · (1 − s))} and
     * {@code dUp = dOut · gate · s}.
     *
     * @param gateUp [tokens, 2·ffn] = gate | up
     * @param dOut [tokens, ffn]
     * @param dGateUp [tokens, 2·ffn]; may be {@code gateUp}
     */
    void swiGluBackward(Tensor gateUp, Tensor dOut, Tensor dGateUp);

    /**
     * Cross-entropy of each row, and its gradient in place of the logits:
     * {@code loss[t] = −log softmax(scale · logits[t])[targets[t]]} and
     * {@code logits[t] = scale · weights[t] · (softmax(scale · logits[t]) − onehot(targets[t]))}.
     *
     * @param logits [rows, vocab]
     * @param targets a token for each row
     * @param weights of each row's loss in the sum that is minimised
     * @param loss [rows], not weighted
     */
    void crossEntropy(Tensor logits, int[] targets, float[] weights, float scale, Tensor loss);

    /**
     * {@code y (+)= x/(1 − rate)} at the elements {@code i}, in row-major order, where {@code SplitMix.uniform(seed, i) ≥
     * rate}, and {@code y (+)= 0} at all others (Srivastava et al. 2014, "Dropout", JMLR 15:1929; scaled while training).
     * With the same seed it is its own backward formula, so that no mask has to be kept.
     *
     * @param x any shape
     * @param rate share that is dropped, from 0 to below 1
     * @param y of the same shape; may be {@code x}
     * @param add whether to add to what is in {@code y}
     */
    void dropout(Tensor x, double rate, long seed, Tensor y, boolean add);

    /**
     * The sum of the squares of all elements of all tensors, added in double and in an order that depends on their sizes only.
     */
    double sumOfSquares(List<Tensor> tensors);

    /**
     * One step of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) with the gradient scaled first.
     *
     * @param parameter any shape
     * @param gradient likewise; unchanged
     * @param m running mean of the gradient
     * @param v running mean of its square
     */
    void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step);

    /**
     * The same, with running means in 8 bits, which are floats only while they are updated (Dettmers et al. 2022,
     * arXiv:2110.02861).
     *
     * @param m signed codes of the parameter's shape
     * @param v unsigned codes
     */
    void adamW8(Tensor parameter, Tensor gradient, BlockwiseTensor m, BlockwiseTensor v, AdamWStep step);

    /**
     * Brings rounded parameters up to date.
     *
     * @param from F32
     * @param to BF16 of the same shape
     * @param seed of this tensor and step, for rounding at random
     */
    void round(Tensor from, Tensor to, Rounding rounding, long seed);

    /**
     * The numbers of a step of AdamW: {@code m = β₁·m + (1−β₁)·g; v = β₂·v + (1−β₂)·g²;
     * p −= rate · (m/(1−β₁^t) / (√(v/(1−β₂^t)) + ε) + decay · p)} with {@code g = gradientScale · gradient}.
     *
     * @param number t, from 1
     */
    record AdamWStep(
            float rate, float beta1, float beta2, float epsilon, float decay, float gradientScale, long number) {
        /** {@code 1/(1−β₁^t)}. */
        public float correction1() {
            return (float) (1 / (1 - Math.pow(beta1, number)));
        }

        /** {@code 1/(1−β₂^t)}. */
        public float correction2() {
            return (float) (1 / (1 - Math.pow(beta2, number)));
        }
    }
}
