// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.backend.cpu.kernel.Kernels.CachedHeads;
import io.telechat.core.backend.cpu.kernel.Kernels.HeadRows;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Attention within whole sequences, and its gradient: a task is one key/value head of one sequence. Forward, its keys and
 * values are brought into the form of a cache in the thread's own memory, so that the kernel of {@link CachedAttention} serves.
 */
final class SpanAttention implements AutoCloseable {
    private static final int BLOCK = KvLayout.BLOCK;
    /** Queries that are taken at once. */
    private static final int TILE = 32;

    private final WorkerTeam workers;
    private final Kernels kernels;
    private final GradKernels gradKernels;
    private final Scratch[] scratch;

    SpanAttention(WorkerTeam workers, Kernels kernels, GradKernels gradKernels) {
        this.workers = workers;
        this.kernels = kernels;
        this.gradKernels = gradKernels;
        this.scratch = Scratch.perThread(workers.size());
    }

    void forward(Tensor qkv, HeadLayout heads, Batch batch, Tensor out, Tensor lse) {
        workers.run(batch.spans().size() * heads.kvHeads(), (task, worker) -> {
            Batch.Span span = batch.spans().get(task / heads.kvHeads());
            forward(qkv, heads, span, task % heads.kvHeads(), out, lse, scratch[worker]);
        });
    }

    private void forward(
            Tensor qkv, HeadLayout heads, Batch.Span span, int kvHead, Tensor out, Tensor lse, Scratch memory) {
        int dim = heads.headDim();
        int blocks = KvLayout.blocks(span.count());
        long blockFloats = 2L * BLOCK * dim;
        long gathered = blocks * blockFloats;
        long tileScratch = kernels.attendScratch((long) TILE * heads.groupSize(), dim);
        MemorySegment floats = memory.floats(gathered + tileScratch + 2L * blocks);
        MemorySegment table = floats.asSlice(4 * (gathered + tileScratch));
        for (int i = 0; i < blocks; i++) {
            table.set(
                    ValueLayout.JAVA_LONG_UNALIGNED,
                    8L * i,
                    floats.asSlice(4 * i * blockFloats).address());
        }
        CachedHeads head = new CachedHeads(DType.F32, table, 0, (long) BLOCK * dim, 1, dim);
        long key = (long) span.first() * heads.qkvWidth() + heads.queryWidth() + (long) kvHead * dim;
        kernels.storeKeysValues(
                head,
                0,
                span.count(),
                qkv.segment().asSlice(4 * key),
                qkv.segment().asSlice(4 * (key + heads.kvWidth())),
                heads.qkvWidth());
        long firstHead = (long) kvHead * heads.groupSize();
        for (int first = 0; first < span.count(); first += TILE) {
            int row = span.first() + first;
            kernels.attend(
                    head,
                    first,
                    Math.min(TILE, span.count() - first),
                    heads.groupSize(),
                    rows(qkv, row, firstHead * dim),
                    rows(out, row, firstHead * dim),
                    rows(lse, row, firstHead),
                    floats.asSlice(4 * gathered));
        }
    }

    private static HeadRows rows(Tensor matrix, int row, long column) {
        return new HeadRows(at(matrix, row, column), matrix.columns());
    }

    private static MemorySegment at(Tensor matrix, int row, long column) {
        return matrix.segment().asSlice(4 * (row * matrix.columns() + column));
    }

    void backward(Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv) {
        int dim = heads.headDim();
        workers.run(batch.spans().size() * heads.kvHeads(), (task, worker) -> {
            Batch.Span span = batch.spans().get(task / heads.kvHeads());
            int kvHead = task % heads.kvHeads();
            int row = span.first();
            long query = (long) kvHead * heads.groupSize() * dim;
            long key = heads.queryWidth() + (long) kvHead * dim;
            GradKernels.AttentionHead head = new GradKernels.AttentionHead(
                    at(qkv, row, query),
                    at(qkv, row, key),
                    at(qkv, row, key + heads.kvWidth()),
                    qkv.columns(),
                    at(out, row, query),
                    at(dOut, row, query),
                    out.columns(),
                    at(lse, row, (long) kvHead * heads.groupSize()),
                    lse.columns(),
                    at(dQkv, row, query),
                    at(dQkv, row, key),
                    at(dQkv, row, key + heads.kvWidth()));
            MemorySegment memory = scratch[worker].floats(gradKernels.attendBackwardScratch(span.count(), dim));
            gradKernels.attendBackward(head, span.count(), heads.groupSize(), dim, memory);
        });
    }

    @Override
    public void close() {
        for (Scratch one : scratch) {
            one.close();
        }
    }
}
