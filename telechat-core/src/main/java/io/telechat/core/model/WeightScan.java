// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reads all weights once, in order: brings the mapped pages into memory at the speed of the disk, with progress, and
 * finds values that are not numbers on the way.
 */
record WeightScan(Checkpoint checkpoint, WorkerTeam workers, LoadProgress progress) {
    private static final long CHUNK = 1 << 20;

    /** The first tensor with a NaN in it and how many have one; empty if all is well. */
    Optional<String> findNaN() {
        long total = checkpoint.bytes();
        long done = 0;
        int bad = 0;
        String first = "";
        for (String name : checkpoint.names()) {
            Tensor tensor = checkpoint.tensor(name);
            if (hasNaN(tensor)) {
                first = bad++ == 0 ? name : first;
            }
            done += tensor.bytes();
            progress.loaded(done, total);
        }
        return bad == 0
                ? Optional.empty()
                : Optional.of("%d tensors hold NaN, the first is '%s'".formatted(bad, first));
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
        AtomicLong seen = new AtomicLong();
        MemorySegment all = tensor.segment();
        int chunks = Math.toIntExact((all.byteSize() + CHUNK - 1) / CHUNK);
        workers.run(chunks, (chunk, worker) -> {
            long from = chunk * CHUNK;
            MemorySegment part = all.asSlice(from, Math.min(CHUNK, all.byteSize() - from));
            seen.accumulateAndGet(carries(part, mask, carry), (a, b) -> a | b);
        });
        return (seen.get() & ~mask) != 0;
    }

    private static long carries(MemorySegment part, long mask, long carry) {
        long longs = part.byteSize() / 8;
        long seen = 0;
        for (long i = 0; i < longs; i++) {
            seen |= (part.get(ValueLayout.JAVA_LONG_UNALIGNED, i * 8) & mask) + carry;
        }
        long tail = 0;
        for (long i = longs * 8; i < part.byteSize(); i++) {
            tail |= (part.get(ValueLayout.JAVA_BYTE, i) & 0xffL) << (8 * (i - longs * 8));
        }
        return seen | (tail & mask) + carry;
    }
}
