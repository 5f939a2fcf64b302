// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import io.telechat.core.comm.Communicator;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.train.optimizer.TrainedTensor;

/** Brings a tensor's pieces to the first rank, some at a time, so that nobody ever holds the whole. */
public final class PieceStream {
    private static final long CHUNK = 1 << 22;

    private PieceStream() {}

    /** This rank's piece. */
    public interface Source {
        /** @param piece that this rank has; its items in one dimension */
        Tensor of(TrainedTensor.Piece piece);
    }

    /** What the first rank does with what comes. */
    public interface Sink {
        /**
         * @param items some of the tensor's, in one dimension; valid until this returns
         * @param from place of the first
         */
        void take(Tensor items, long from);
    }

    /**
     * All ranks call this for the same tensors in the same order.
     *
     * @param elementsPerItem of the tensor; more than 1 where the items are what blocks of elements share
     */
    public static void toFirst(
            Communicator ranks, TrainedTensor tensor, DType dtype, long elementsPerItem, Source source, Sink sink) {
        for (TrainedTensor.Piece piece : tensor.pieces()) {
            long from = piece.from() / elementsPerItem;
            long count = Math.ceilDiv(piece.to(), elementsPerItem) - from;
            boolean isOurs = piece.rank() == ranks.rank();
            if (piece.rank() == 0) {
                if (isOurs) {
                    sink.take(source.of(piece), from);
                }
                continue;
            }
            try (HostArena arena = new HostArena()) {
                Tensor ours = isOurs ? source.of(piece) : arena.allocate(dtype, Math.min(CHUNK, count));
                for (long at = 0; at < count; at += CHUNK) {
                    long items = Math.min(CHUNK, count - at);
                    Tensor chunk = isOurs ? ours.rows(at, at + items) : ours.rows(0, items);
                    ranks.broadcast(chunk, piece.rank()).await();
                    if (ranks.rank() == 0) {
                        sink.take(chunk, from + at);
                    }
                }
            }
        }
    }
}
