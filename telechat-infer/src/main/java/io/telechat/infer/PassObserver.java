// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.tensor.Tensor;

/** Sees what a model computes; rows are counted from the first token that was fed. The tensors are valid during the call. */
public interface PassObserver {
    /**
     * The input of a layer, or the last layer's output.
     *
     * @param layer from 0; the number of layers for the output
     * @param hidden [rows, hidden], F32 in host memory
     */
    default void hidden(int firstRow, int layer, Tensor hidden) {}

    /** Hidden states behind the final norm, [rows, hidden]. */
    default void normed(int firstRow, Tensor hidden) {}

    /** Logits of some rows, [rows, vocab]. */
    default void logits(int firstRow, Tensor logits) {}
}
