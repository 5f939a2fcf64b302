// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;

/**
 * Takes gradients back through the parameters, and keeps those of the parameters that are trained. The model's backward pass
 * does not know which these are.
 */
public interface Gradients {
    /** The gradients of a section's parameters come next; of one section after the other. */
    default void begin(Section section) {}

    /** All gradients of a section's parameters, in this pass, have been handed over. */
    default void end(Section section) {}

    /**
     * Through {@code y = x·Wᵀ + bias}: {@code dx (+)= dy·W}.
     *
     * @param x [tokens, in], what the layer was given
     * @param dy [tokens, out]
     * @param dx [tokens, in]; may be {@code x} itself
     * @param add whether to add to what is in {@code dx}
     */
    void linear(Tensor x, Weight w, Tensor dy, Tensor dx, boolean add);

    /**
     * Through a norm, see {@link io.telechat.core.ops.GradOps#rmsNormBackward}.
     *
     * @param id names its weight
     */
    void norm(WeightId id, Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx);

    /** Into the embedding table: {@code out[t] = scale · table[tokens[t]]}. */
    void embedding(int[] tokens, Tensor dOut, float scale);
}
