// SPDX-License-Identifier: Apache-2.0
package io.telechat.bench;

import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.quant.Quantizer;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Products of a matrix of weights, which comes from memory and not from a cache, with one or several tokens. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LinearBenchmark {
    private static final int ROWS = 3072;
    /** All copies of the matrix together: more than any cache. */
    private static final long ALL_BYTES = 600L << 20;

    @Param({"AMX", "AVX512_BF16", "AVX512", "AVX2", "NEON", "VECTOR"})
    private KernelTier tier;

    @Param({"F32", "BF16", "F16", "Q8", "Q4"})
    private DType type;

    @Param({"1", "16", "128"})
    private int tokens;

    @Param({"1024", "2816"})
    private int columns;

    private HostArena arena;
    private Kernels kernels;
    private final List<Tensor> copies = new ArrayList<>();
    private MemorySegment x;
    private MemorySegment y;
    private MemorySegment scratch;
    private int next;

    /** What a second of it moves and computes, in billions. */
    @AuxCounters
    @State(Scope.Thread)
    public static class Rates {
        public double gigabytes;
        public double gigaflops;

        @Setup(Level.Iteration)
        public void reset() {
            gigabytes = 0;
            gigaflops = 0;
        }
    }

    @Setup
    public void fill() {
        if (!KernelTiers.isUsable(tier)) {
            throw new IllegalStateException("this machine has no kernels of tier " + tier);
        }
        kernels = KernelTiers.of(tier);
        arena = new HostArena();
        Tensor floats = random(ROWS, columns);
        Tensor first = type == DType.F32
                ? floats
                : type.isQuantized() ? new Quantizer(type).quantize(floats, arena) : narrow(floats);
        copies.add(first);
        while (copies.size() * first.bytes() < ALL_BYTES) {
            Tensor copy = arena.allocate(type, ROWS, columns);
            copy.segment().copyFrom(first.segment());
            copies.add(copy);
        }
        x = prepared(random(tokens, columns).segment());
        y = arena.allocate(DType.F32, tokens, ROWS).segment();
        scratch = arena.allocate(DType.F32, kernels.linearScratch(columns)).segment();
    }

    private Tensor random(int rows, int width) {
        SplittableRandom random = new SplittableRandom(1);
        Tensor tensor = arena.allocate(DType.F32, rows, width);
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.setFloat(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    private Tensor narrow(Tensor floats) {
        Tensor tensor = arena.allocate(type, ROWS, columns);
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.setFloat(i, floats.getFloat(i));
        }
        return tensor;
    }

    private MemorySegment prepared(MemorySegment plain) {
        if (type.isQuantized()) {
            long bytes = kernels.quantizedBytes(type, columns);
            MemorySegment rounded = arena.allocate(DType.U8, tokens * bytes).segment();
            kernels.quantize(type, plain, tokens, columns, rounded);
            return rounded;
        }
        if (inBf16()) {
            MemorySegment rounded = arena.allocate(DType.U8, tokens * kernels.roundedBytes(columns))
                    .segment();
            kernels.roundTokens(plain, tokens, columns, rounded);
            return rounded;
        }
        MemorySegment paired = arena.allocate(DType.F32, tokens, columns).segment();
        kernels.pair(plain, tokens, columns, paired);
        return type == DType.BF16 ? paired : plain;
    }

    private boolean inBf16() {
        return type == DType.BF16 && kernels.multipliesBf16();
    }

    @TearDown
    public void free() {
        arena.close();
    }

    @Benchmark
    public void linear(Rates rates) {
        Tensor weights = copies.get(next++ % copies.size());
        Kernels.Product product =
                new Kernels.Product(weights.segment(), ROWS, columns, x, tokens, MemorySegment.NULL, y, ROWS, false);
        if (type.isQuantized()) {
            kernels.linearQuantized(type, product);
        } else if (inBf16()) {
            kernels.linearBf16(product);
        } else {
            kernels.linear(type, product, scratch);
        }
        rates.gigabytes += weights.bytes() / 1e9;
        rates.gigaflops += 2.0 * ROWS * columns * tokens / 1e9;
    }
}
