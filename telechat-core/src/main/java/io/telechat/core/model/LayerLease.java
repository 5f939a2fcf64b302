// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.LayerWeights;

/**
 * The right to use a layer's full weights until it is closed. Free for weights that are resident; with sharded
 * parameters, opening gathers them and closing lets them go.
 */
public interface LayerLease extends AutoCloseable {
    LayerWeights weights();

    @Override
    void close();
}
