// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.tensor.Shape;

/**
 * A tensor that a checkpoint of some architecture must have.
 *
 * @param name as in the published files
 * @param shape as in the published files
 * @param init how it starts when a model is made from nothing
 */
public record TensorSpec(String name, Shape shape, Init init) {

    /** Initialisation of one tensor: drawn from a normal distribution, or constant. */
    public sealed interface Init {
        /** Independent draws from N(0, deviation²). */
        record Normal(double deviation) implements Init {}

        /** Every element has this value. */
        record Constant(float value) implements Init {}
    }

    static TensorSpec normal(String name, double deviation, long... dims) {
        return new TensorSpec(name, Shape.of(dims), new Init.Normal(deviation));
    }

    static TensorSpec ones(String name, long... dims) {
        return new TensorSpec(name, Shape.of(dims), new Init.Constant(1));
    }

    static TensorSpec zeros(String name, long... dims) {
        return new TensorSpec(name, Shape.of(dims), new Init.Constant(0));
    }
}
