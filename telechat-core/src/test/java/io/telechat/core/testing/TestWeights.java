// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Weights that are no model's. */
public final class TestWeights {
    private TestWeights() {}

    /** @param bias of all rows, of which each block takes its own */
    public static Weight biased(Tensor bias, Tensor... matrices) {
        return biased(Optional.of(bias), List.of(matrices));
    }

    public static Weight biased(Optional<Tensor> bias, List<Tensor> matrices) {
        List<Weight.Block> blocks = new ArrayList<>();
        long row = 0;
        for (Tensor matrix : matrices) {
            long from = row;
            long to = row + matrix.rows();
            blocks.add(new Weight.Block(matrix, bias.map(b -> b.rows(from, to))));
            row = to;
        }
        return new Weight(WeightId.NONE, blocks);
    }
}
