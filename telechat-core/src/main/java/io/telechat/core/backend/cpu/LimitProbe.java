// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.MachineLimits;
import io.telechat.core.backend.cpu.kernel.NativeKernels;
import io.telechat.core.backend.cpu.kernel.PackedForm;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

/** Measures what all threads together read from memory, and multiply and add, at most: the best of a few tries. */
record LimitProbe(WorkerTeam workers, NativeKernels kernels) {
    /** Far beyond any cache. */
    static final long READ_BYTES = 1L << 29;

    private static final long ROUNDS = 4_000_000;
    private static final int TRIES = 25;

    MachineLimits measure() {
        int threads = workers.size();
        try (HostArena arena = new HostArena()) {
            MemorySegment memory = memory(arena);
            long part = READ_BYTES / threads;
            long readNanos = best(() -> run(index -> kernels.read(memory.asSlice(index * part, part))));
            return new MachineLimits(part * threads / (readNanos / 1e9), flops(PackedForm.FLOATS));
        }
    }

    /** Multiplications and additions per second, of factors in this form. */
    double flops(PackedForm form) {
        long nanos = best(() -> run(index -> kernels.multiplyAdd(form, ROUNDS)));
        return workers.size() * kernels.multiplyAdd(form, ROUNDS) / (nanos / 1e9);
    }

    /** Memory to read. It is written to, or all of it would be one page of zeros, which comes from the cache. */
    static MemorySegment memory(HostArena arena) {
        return arena.allocate(DType.I8, READ_BYTES).segment().fill((byte) 1);
    }

    private interface Part {
        void run(int index);
    }

    private long run(Part part) {
        long start = System.nanoTime();
        workers.run(workers.size(), (index, worker) -> part.run(index));
        return System.nanoTime() - start;
    }

    private static long best(LongSupplier nanos) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < TRIES; i++) {
            best = Math.min(best, nanos.getAsLong());
        }
        return best;
    }
}
