// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

/** The lease of a layer whose weights are always in memory. */
record ResidentLayer(LayerWeights weights) implements LayerLease {
    @Override
    public void close() {
        // Resident weights stay.
    }
}
