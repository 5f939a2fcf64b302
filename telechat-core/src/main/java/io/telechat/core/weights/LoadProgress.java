// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

/** Hears how far loading has come. */
@FunctionalInterface
public interface LoadProgress {
    LoadProgress SILENT = (done, total) -> {};

    /** @param done bytes of weights that are in memory and checked, of {@code total} */
    void loaded(long done, long total);
}
