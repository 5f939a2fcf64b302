// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.backend.TopLogits;
import io.telechat.core.backend.TopSelector;
import io.telechat.core.model.CausalLm;
import io.telechat.core.tensor.Tensor;
import io.telechat.infer.sampling.Candidates;
import io.telechat.infer.sampling.Sampler;
import io.telechat.infer.sampling.TokenHistory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * The logits of one row: where they are on a device, the highest of them are here, and all of them come when they are asked for.
 *
 * @param top if they have been selected, and are numbers
 * @param all a new copy
 */
record RowLogits(Optional<TopLogits> top, Supplier<float[]> all) {

    /**
     * The rows of a tensor.
     *
     * @param selector of the highest; without one, all rows are copied to host memory at once
     */
    static List<RowLogits> of(Tensor logits, CausalLm model, Optional<TopSelector> selector) {
        List<RowLogits> rows = new ArrayList<>();
        if (selector.isEmpty()) {
            Tensor host = model.backend().memory().toHost(logits);
            for (int i = 0; i < host.rows(); i++) {
                Tensor row = host.rows(i, i + 1);
                rows.add(new RowLogits(Optional.empty(), row::toFloats));
            }
            return rows;
        }
        for (Optional<TopLogits> top : selector.get().select(logits)) {
            Tensor row = logits.rows(rows.size(), rows.size() + 1);
            rows.add(new RowLogits(
                    top, () -> model.backend().memory().toHost(row).toFloats()));
        }
        return rows;
    }

    /** Draws a token: from the highest if they are enough, which gives the same. */
    int sample(Sampler sampler, TokenHistory history) {
        OptionalInt id = top.isEmpty() ? OptionalInt.empty() : sampler.sample(candidates(top.get()), history);
        return id.orElseGet(() -> sampler.sample(all.get(), history));
    }

    private static Candidates candidates(TopLogits top) {
        return new Candidates(top.vocab(), top.ids(), top.values(), top.rest());
    }
}
