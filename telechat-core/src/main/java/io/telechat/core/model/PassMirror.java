// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;

/** Hears of everything that a part of a model is about to compute, so that the other parts compute it, too. */
public interface PassMirror {
    /** For a model in one piece. */
    PassMirror NONE = new PassMirror() {
        @Override
        public void forward(Batch batch) {
            // There is nobody else.
        }

        @Override
        public void logits(int... rows) {
            // There is nobody else.
        }

        @Override
        public void turnKeys(KvCache cache, RopeScaling from, RopeScaling to) {
            // There is nobody else.
        }

        @Override
        public void copyBlock(BlockPool pool, int from, int to) {
            // There is nobody else.
        }
    };

    /** A pass over all layers begins, whose blocks have been taken. */
    void forward(Batch batch);

    /** The head is applied to these rows of the latest pass. */
    void logits(int... rows);

    /** The stored keys are turned from one rotation to another. */
    void turnKeys(KvCache cache, RopeScaling from, RopeScaling to);

    /** One block of a pool is copied to another. */
    void copyBlock(BlockPool pool, int from, int to);
}
