// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.train.optimizer.TrainedTensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Tensors one behind the other, and padding, so that the whole is cut evenly. Large tensors come first: each of them, and each
 * cut, is at a whole block of 8-bit moments, so that a tensor's moments are the same blocks whoever has them.
 *
 * @param places of the tensors
 * @param share elements of each rank
 */
record FlatLayout(List<Place> places, long share) {
    /** A tensor as it is computed with, [out, in], from {@code offset} on. */
    record Place(TensorSpec spec, long offset) {
        long elements() {
            return spec.shape().elements();
        }
    }

    /**
     * A part of a tensor.
     *
     * @param place of the tensor
     * @param from element of the tensor, in row-major order
     * @param to exclusive
     */
    record Part(Place place, long from, long to) {
        /** Where it begins among all elements. */
        long offset() {
            return place.offset() + from;
        }

        long elements() {
            return to - from;
        }
    }

    static FlatLayout of(List<TensorSpec> tensors, int ranks) {
        List<Place> places = new ArrayList<>();
        long offset = 0;
        List<TensorSpec> largeFirst = tensors.stream()
                .sorted(Comparator.comparingLong(
                        (TensorSpec spec) -> -spec.shape().elements()))
                .toList();
        for (TensorSpec spec : largeFirst) {
            places.add(new Place(spec, offset));
            offset += roundUp(spec.shape().elements());
        }
        return new FlatLayout(List.copyOf(places), roundUp(Math.ceilDiv(offset, ranks)));
    }

    private static long roundUp(long elements) {
        return Math.ceilDiv(elements, BlockwiseTensor.BLOCK) * BlockwiseTensor.BLOCK;
    }

    /** What of the tensors lies in a range of all elements. */
    List<Part> parts(long from, long to) {
        List<Part> parts = new ArrayList<>();
        for (Place place : places) {
            long first = Math.max(from, place.offset()) - place.offset();
            long last = Math.min(to, place.offset() + place.elements()) - place.offset();
            if (first < last) {
                parts.add(new Part(place, first, last));
            }
        }
        return parts;
    }

    /** Which rank's optimizer has what of a tensor. */
    List<TrainedTensor.Piece> pieces(Place place, ZeroStage stage, int ranks) {
        if (!stage.cuts(ZeroStage.OPTIMIZER)) {
            return TrainedTensor.whole(place.spec().name(), place.spec().shape())
                    .pieces();
        }
        List<TrainedTensor.Piece> pieces = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            for (Part part : parts(rank * share, (rank + 1) * share)) {
                if (part.place() == place) {
                    pieces.add(new TrainedTensor.Piece(rank, part.from(), part.to()));
                }
            }
        }
        return pieces;
    }
}
