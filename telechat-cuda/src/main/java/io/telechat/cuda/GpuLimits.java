// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.backend.MachineLimits;
import io.telechat.cuda.driver.Event;
import io.telechat.cuda.driver.Stream;

/** Measures what a GPU reads from its memory, and multiplies on its tensor cores by the instructions that our kernels use. */
record GpuLimits(Stream stream, Kernels kernels) {
    /** Far beyond any cache. */
    private static final long READ_BYTES = 1L << 29;

    private static final int TRIES = 3;
    /** At first; more, as long as they take less than {@link #LONG_ENOUGH}, in which a launch is nothing. */
    private static final int ROUNDS = 16;

    private static final double LONG_ENOUGH = 2e-3;
    /** Of a product of 16 x 8 x 16. */
    private static final long FLOPS = 2L * 16 * 8 * 16;

    private static final int PRODUCTS = 8;
    private static final int BLOCKS_PER_MULTIPROCESSOR = 8;

    MachineLimits measure() {
        long memory = stream.device().allocate(READ_BYTES);
        try {
            stream.clear(memory, READ_BYTES);
            double seconds = best(() -> stream.launch(kernels.get("probe", "probe_read", "plp"))
                    .grid((long) stream.device().multiprocessors() * BLOCKS_PER_MULTIPROCESSOR)
                    .threads(Kernels.THREADS)
                    .put(memory)
                    .put(READ_BYTES / 16)
                    .put(memory)
                    .run());
            return new MachineLimits(READ_BYTES / seconds, flops());
        } finally {
            stream.synchronize();
            stream.device().free(memory);
        }
    }

    /** Multiplications and additions of bfloat16 per second. */
    double flops() {
        long blocks = (long) stream.device().multiprocessors() * BLOCKS_PER_MULTIPROCESSOR;
        int rounds = ROUNDS;
        double seconds = multiply(blocks, rounds);
        while (seconds < LONG_ENOUGH) {
            rounds *= 4;
            seconds = multiply(blocks, rounds);
        }
        return blocks * (Kernels.THREADS / 32) * rounds * PRODUCTS * FLOPS / seconds;
    }

    private double multiply(long blocks, int rounds) {
        return best(() -> stream.launch(kernels.get("probe", "probe_multiply", "ip"))
                .grid(blocks)
                .threads(Kernels.THREADS)
                .put(rounds)
                .put(0L)
                .run());
    }

    private double best(Runnable launch) {
        double best = Double.POSITIVE_INFINITY;
        try (Event begin = new Event(stream.device());
                Event end = new Event(stream.device())) {
            for (int i = 0; i < TRIES; i++) {
                stream.record(begin);
                launch.run();
                stream.record(end);
                stream.synchronize();
                best = Math.min(best, begin.millisTo(end) / 1000.0);
            }
        }
        return best;
    }
}
