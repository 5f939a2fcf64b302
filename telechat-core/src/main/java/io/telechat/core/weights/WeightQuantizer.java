// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.ops.Weight;
import io.telechat.core.quant.Quantizer;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.workers.WorkerTeam;
import java.util.List;

/**
 * Quantizes whole matrices, a panel per task; the result does not depend on how many threads there are.
 *
 * @param dtype Q8 or Q4
 */
record WeightQuantizer(DType dtype, WorkerTeam workers) {
    /** The blocks of a weight one by one; biases stay. */
    Weight quantize(Weight weight, TensorArena arena) {
        List<Weight.Block> blocks = weight.blocks().stream()
                .map(block -> block.matrix().dtype().isQuantized()
                        ? block
                        : new Weight.Block(quantize(block.matrix(), arena), block.bias()))
                .toList();
        return new Weight(weight.id(), blocks);
    }

    private Tensor quantize(Tensor matrix, TensorArena arena) {
        Tensor to = arena.allocate(dtype, matrix.rows(), matrix.columns());
        quantize(matrix, to);
        return to;
    }

    /** @param to [rows, columns] of this type */
    void quantize(Tensor matrix, Tensor to) {
        Quantizer quantizer = new Quantizer(dtype);
        workers.run(
                Math.toIntExact(QuantizedLayout.panels(matrix.rows())),
                (panel, worker) -> quantizer.quantizePanel(matrix, to, panel));
    }
}
