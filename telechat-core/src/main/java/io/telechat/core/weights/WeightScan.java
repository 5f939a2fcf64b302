// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.Message;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reads each tensor once as it is loaded: brings its mapped pages into memory at the speed of the disk, with progress, and
 * finds values that are not numbers on the way.
 */
public final class WeightScan {
    private static final long CHUNK = 1 << 20;
    private static final int PIECE = 2048;

    private final WorkerTeam workers;
    private final LoadProgress progress;
    private final long total;
    private final boolean infinitiesToo;
    private final boolean blind;
    private long done;
    private int bad;
    private String firstBad = "";

    /** @param total bytes of all tensors that will be seen */
    public WeightScan(WorkerTeam workers, LoadProgress progress, long total) {
        this(workers, progress, total, false, false);
    }

    /** Reads nothing, and so leaves what is not needed where it is. */
    public static WeightScan blind(WorkerTeam workers) {
        return new WeightScan(workers, LoadProgress.SILENT, 0, false, true);
    }

    /** @param infinitiesToo whether to complain of infinite values as well */
    WeightScan(WorkerTeam workers, LoadProgress progress, long total, boolean infinitiesToo) {
        this(workers, progress, total, infinitiesToo, false);
    }

    private WeightScan(WorkerTeam workers, LoadProgress progress, long total, boolean infinitiesToo, boolean blind) {
        this.blind = blind;
        this.infinitiesToo = infinitiesToo;
        this.workers = workers;
        this.progress = progress;
        this.total = total;
    }

    void see(String name, Tensor tensor) {
        if (blind) {
            return;
        }
        if (tensor.dtype().isQuantized() ? hasNaNScale(tensor) : hasNaN(tensor)) {
            firstBad = bad++ == 0 ? name : firstBad;
        }
        done += tensor.bytes();
        progress.loaded(Math.min(done, total), total);
    }

    /** The first tensor with a NaN in it and how many have one; empty if all is well. */
    Optional<Message> complaint() {
        return bad == 0
                ? Optional.empty()
                : Optional.of(
                        infinitiesToo
                                ? Message.of("%d tensors hold NaN or infinite values, the first is '%s'", bad, firstBad)
                                : Message.of("%d tensors hold NaN, the first is '%s'", bad, firstBad));
    }

    /** A quantized row with a NaN in it has one for its float. */
    private static boolean hasNaNScale(Tensor matrix) {
        long panelBytes = QuantizedLayout.panelBytes(matrix.dtype(), matrix.columns());
        for (long row = 0; row < matrix.rows(); row++) {
            long offset = row / QuantizedLayout.PANEL * panelBytes + row % QuantizedLayout.PANEL * Float.BYTES;
            if (Float.isNaN(matrix.segment().get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset))) {
                return true;
            }
        }
        return false;
    }

    private boolean hasNaN(Tensor tensor) {
        // With the sign masked off, a NaN is any pattern above infinity's; adding what infinity lacks to the sign bit
        // makes it carry into the sign bit for exactly these. Two or four values per long, no carry between them.
        long mask;
        long carry;
        if (tensor.dtype() == DType.F32) {
            mask = 0x7fffffff7fffffffL;
            carry = 0x007fffff007fffffL;
        } else if (tensor.dtype() == DType.BF16) {
            mask = 0x7fff7fff7fff7fffL;
            carry = 0x007f007f007f007fL;
        } else if (tensor.dtype() == DType.F16) {
            mask = 0x7fff7fff7fff7fffL;
            carry = 0x03ff03ff03ff03ffL;
        } else {
            return false;
        }
        if (infinitiesToo) { // one more, and infinity itself carries
            carry += tensor.dtype() == DType.F32 ? 0x0000000100000001L : 0x0001000100010001L;
        }
        long lacking = carry;
        AtomicLong seen = new AtomicLong();
        MemorySegment all = tensor.segment();
        workers.runRanges(
                all.byteSize(),
                CHUNK,
                (first, count) ->
                        seen.accumulateAndGet(carries(all.asSlice(first, count), mask, lacking), (a, b) -> a | b));
        return (seen.get() & ~mask) != 0;
    }

    private static long carries(MemorySegment part, long mask, long carry) {
        // By way of an array, which code that isn't compiled yet reads much faster than a segment.
        long[] piece = new long[PIECE];
        long seen = 0;
        for (long from = 0; from < part.byteSize(); from += PIECE * Long.BYTES) {
            long bytes = Math.min(PIECE * Long.BYTES, part.byteSize() - from);
            int longs = Math.toIntExact((bytes + Long.BYTES - 1) / Long.BYTES);
            piece[longs - 1] = 0; // where the last bytes are not a whole long
            MemorySegment.copy(part, from, MemorySegment.ofArray(piece), 0, bytes);
            for (int i = 0; i < longs; i++) {
                seen |= (piece[i] & mask) + carry;
            }
        }
        return seen;
    }
}
