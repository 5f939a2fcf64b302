// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.tensor.Tensor;

/** Looks at the residual stream while it passes through the model. */
@FunctionalInterface
public interface LayerObserver {
    /** Sees nothing. */
    LayerObserver NONE = (layer, hidden) -> {};

    /**
     * @param layer the layer whose input this is; the number of layers for the last layer's output, before the final norm
     * @param hidden [tokens, hidden]; valid during the call only
     */
    void observe(int layer, Tensor hidden);
}
