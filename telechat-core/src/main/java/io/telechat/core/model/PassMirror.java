// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.ops.Batch;

/** Hears of everything that a part of a model is about to compute, so that the other parts compute it, too. */
public interface PassMirror {
    /** For a model in one piece. */
    PassMirror NONE = new PassMirror() {
        @Override
        public void forward(Batch batch) {
            // There is nobody else.
        }

        @Override
        public void logits(int from, int to) {
            // There is nobody else.
        }
    };

    /** A pass over all layers begins. */
    void forward(Batch batch);

    /** The head is applied to these rows of the latest pass: {@code from} (inclusive) to {@code to} (exclusive). */
    void logits(int from, int to);
}
