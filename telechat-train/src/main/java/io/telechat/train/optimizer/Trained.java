// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.tensor.Tensor;

/**
 * A tensor that is trained, or a range of its elements.
 *
 * @param name of the tensor; decides whether it decays
 * @param from first element that is meant, in row-major order
 * @param tensorElements of the whole tensor
 * @param value F32
 * @param gradient of the same shape
 */
public record Trained(String name, long from, long tensorElements, Tensor value, Tensor gradient) {
    /** A whole tensor. */
    public Trained(String name, Tensor value, Tensor gradient) {
        this(name, 0, value.shape().elements(), value, gradient);
    }
}
