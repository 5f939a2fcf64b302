// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.InvalidInputException;
import io.telechat.core.comm.Communicator;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.zip.CRC32;

/**
 * Encoding of lines that several ranks share: each reads all files and encodes one in so many batches; the first rank gets what
 * all have made, in the order of the batches.
 */
final class SharedEncoding {
    /** Batches of a rank before it hands over what it has, for each thread of the first rank. */
    private static final int AT_ONCE = 4;

    private final Communicator ranks;
    private final WorkerTeam team;
    private final Function<LineBatches.Batch, EncodedBatch> encoder;

    /** @param encoder may be used from any number of threads */
    SharedEncoding(Communicator ranks, WorkerTeam team, Function<LineBatches.Batch, EncodedBatch> encoder) {
        this.ranks = ranks;
        this.team = team;
        this.encoder = encoder;
    }

    /**
     * What a rank brings to a meeting.
     *
     * @param read batches that were read since the last one
     * @param check of their bytes
     */
    private record Share(byte[] bytes, int read, long check) {}

    /**
     * Goes over all batches; all ranks do.
     *
     * @param take on the first rank, what becomes of them
     * @throws InvalidInputException if a rank reads other files than the first
     */
    void run(LineBatches batches, Consumer<EncodedBatch> take) {
        int atOnce = AT_ONCE * (int) ranks.gather(team.size())[0][0] * ranks.size(); // the same on all ranks
        boolean goesOn = true;
        while (goesOn) {
            Share share = encode(batches, atOnce);
            double[][] all = ranks.gather(share.bytes().length, share.read(), share.check());
            for (int r = 1; r < all.length; r++) {
                if (all[r][1] != all[0][1] || all[r][2] != all[0][2]) {
                    throw new InvalidInputException("rank %d reads other data than rank 0", r);
                }
            }
            goesOn = share.read() > 0;
            if (goesOn) {
                handOver(share.bytes(), all, take);
            }
        }
    }

    /** @param most batches of all ranks */
    private Share encode(LineBatches batches, int most) {
        List<LineBatches.Batch> own = new ArrayList<>();
        CRC32 check = new CRC32();
        int read = 0;
        for (Optional<LineBatches.Batch> next = batches.next(); next.isPresent(); next = batches.next()) {
            LineBatches.Batch batch = next.get();
            check.update(batch.bytes(), 0, batch.length());
            if (batch.number() % ranks.size() == ranks.rank()) {
                own.add(batch);
            }
            if (++read == most) {
                break;
            }
        }
        byte[][] made = new byte[own.size()][];
        team.run(made.length, (i, thread) -> made[i] = encoder.apply(own.get(i)).toBytes());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] batch : made) {
            bytes.writeBytes(batch);
        }
        return new Share(bytes.toByteArray(), read, check.getValue());
    }

    private void handOver(byte[] bytes, double[][] all, Consumer<EncodedBatch> take) {
        long longest = 0;
        for (double[] of : all) {
            longest = Math.max(longest, (long) of[0]);
        }
        try (HostArena arena = new HostArena()) {
            Tensor part = arena.allocate(DType.U8, longest);
            MemorySegment.copy(bytes, 0, part.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
            Tensor parts = arena.allocate(DType.U8, ranks.rank() == 0 ? longest * ranks.size() : 0);
            ranks.gatherNow(part, parts);
            if (ranks.rank() == 0) {
                takeInOrder(parts, longest, all, take);
            }
        }
    }

    private static void takeInOrder(Tensor parts, long longest, double[][] all, Consumer<EncodedBatch> take) {
        List<DataInputStream> streams = new ArrayList<>();
        for (int r = 0; r < all.length; r++) {
            byte[] of = new byte[(int) all[r][0]];
            MemorySegment.copy(parts.segment(), ValueLayout.JAVA_BYTE, r * longest, of, 0, of.length);
            streams.add(new DataInputStream(new ByteArrayInputStream(of)));
        }
        try {
            List<EncodedBatch> batches = new ArrayList<>();
            for (DataInputStream stream : streams) {
                while (stream.available() > 0) {
                    batches.add(EncodedBatch.read(stream));
                }
            }
            batches.sort((a, b) -> Integer.compare(a.number(), b.number()));
            batches.forEach(take);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
