// SPDX-License-Identifier: Apache-2.0
package io.telechat.bench;

import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.backend.cpu.kernel.Kernels.CachedHeads;
import io.telechat.core.backend.cpu.kernel.Kernels.HeadRows;
import io.telechat.core.backend.cpu.kernel.Kernels.Queries;
import io.telechat.core.backend.cpu.kernel.Kernels.States;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Attention of one head of 64 over a cache in float16. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AttentionBenchmark {
    private static final int BLOCK = 64;
    private static final int DIM = 64;

    @Param({"AMX", "AVX512_BF16", "AVX512", "AVX2", "NEON", "VECTOR"})
    private KernelTier tier;

    @Param({"128", "3520"})
    private int context;

    @Param({"1", "48"})
    private int tokens;

    private HostArena arena;
    private Kernels kernels;
    private CachedHeads head;
    private HeadRows rows;
    private HeadRows out;
    private HeadRows lse;
    private MemorySegment states;
    private MemorySegment scratch;

    @Setup
    public void fill() {
        kernels = KernelTiers.of(tier);
        arena = new HostArena();
        int blocks = context / BLOCK;
        MemorySegment addresses = arena.allocate(DType.I64, blocks).segment();
        for (int i = 0; i < blocks; i++) {
            Tensor block = arena.allocate(DType.F16, 2L * BLOCK * DIM);
            for (long j = 0; j < block.shape().elements(); j++) {
                block.setFloat(j, (float) Math.sin(j + i));
            }
            addresses.setAtIndex(ValueLayout.JAVA_LONG, i, block.segment().address());
        }
        head = new CachedHeads(DType.F16, addresses, 0, (long) BLOCK * DIM, 1, DIM);
        Tensor queries = arena.allocate(DType.F32, tokens, DIM);
        for (long i = 0; i < queries.shape().elements(); i++) {
            queries.setFloat(i, (float) Math.cos(i));
        }
        rows = new HeadRows(queries.segment(), DIM);
        out = new HeadRows(arena.allocate(DType.F32, tokens, DIM).segment(), DIM);
        lse = new HeadRows(arena.allocate(DType.F32, tokens).segment(), 1);
        states = arena.allocate(DType.F32, kernels.attendState(tokens, DIM)).segment();
        scratch = arena.allocate(DType.F32, kernels.attendScratch(tokens, DIM) + 1)
                .segment();
    }

    @TearDown
    public void free() {
        arena.close();
    }

    /** The last tokens of the context see all of it. */
    @Benchmark
    public void attend() {
        Queries queries = new Queries(context - tokens, tokens, 1, rows);
        kernels.attend(head, queries, 0, queries.stretches(), states, scratch);
        kernels.attendFold(head, queries, new States(states, 1, 0), out, lse);
    }
}
