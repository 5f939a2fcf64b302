// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import io.telechat.core.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/** Finds the highest logits where these are, so that whole rows of them need not be copied to host memory. */
public interface TopSelector {
    /** How many it finds of a row that has more. */
    int most();

    /**
     * Looks at every row; for one thread at a time.
     *
     * @param logits F32 [rows, vocab] in the backend's memory
     * @return for each row; empty where it has a NaN or positive infinity, or nothing finite
     */
    List<Optional<TopLogits>> select(Tensor logits);
}
