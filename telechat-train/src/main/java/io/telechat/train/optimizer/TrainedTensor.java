// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.tensor.Shape;
import java.util.List;

/**
 * A tensor that is trained, whole, as files have it.
 *
 * @param shape as it is computed with, matrices as [out, in]
 * @param pieces which rank has what of it, in order
 */
public record TrainedTensor(String name, Shape shape, List<Piece> pieces) {
    /**
     * A range of elements in row-major order.
     *
     * @param rank who has it
     * @param from first element
     * @param to exclusive
     */
    public record Piece(int rank, long from, long to) {}

    /** One that every rank has all of. */
    public static TrainedTensor whole(String name, Shape shape) {
        return new TrainedTensor(name, shape, List.of(new Piece(0, 0, shape.elements())));
    }
}
