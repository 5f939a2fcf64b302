// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.backend.cpu.kernel.GradKernels.Rows;
import io.telechat.core.backend.cpu.kernel.Kernels;
import io.telechat.core.backend.cpu.kernel.Kernels.CachedHeads;
import io.telechat.core.backend.cpu.kernel.Kernels.HeadRows;
import io.telechat.core.backend.cpu.kernel.Kernels.Queries;
import io.telechat.core.backend.cpu.kernel.Kernels.States;
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
 * Heads of BF16 are widened into that memory, too.
 */
final class SpanAttention implements AutoCloseable {
    private static final int BLOCK = KvLayout.BLOCK;
    /** Queries that are taken at once. */
    private static final int TILE = 48;

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

    /** Memory of a task, given out from its beginning. */
    private static final class Floats {
        private final MemorySegment memory;
        private long used;

        Floats(Scratch scratch, long count) {
            this.memory = scratch.floats(count);
        }

        MemorySegment next(long count) {
            used += count;
            return memory.asSlice(4 * (used - count));
        }

        Rows rows(long count, long columns) {
            return new Rows(next(count * columns), columns);
        }
    }

    /** Some heads of some tokens: {@code columns} of the rows from {@code row} on, from {@code column} on. */
    private record Part(Tensor matrix, long row, long column, long count, long columns) {
        boolean isNarrow() {
            return matrix.dtype() != DType.F32;
        }

        /** Floats that it takes elsewhere. */
        long floats() {
            return isNarrow() ? count * columns : 0;
        }

        Rows rows() {
            long at = matrix.dtype().bytes() * (row * matrix.columns() + column);
            return new Rows(matrix.segment().asSlice(at), matrix.columns());
        }
    }

    /** Where the floats of a part are. */
    private Rows read(Part part, Floats memory) {
        Rows where = written(part, memory);
        if (part.isNarrow()) {
            gradKernels.widenRows(part.matrix().dtype(), part.rows(), where, part.count(), part.columns());
        }
        return where;
    }

    /** Where the floats of a part are to be put; if it is narrow, {@link #put} brings them to it. */
    private static Rows written(Part part, Floats memory) {
        return part.isNarrow() ? memory.rows(part.count(), part.columns()) : part.rows();
    }

    private void put(Rows floats, Part part) {
        if (part.isNarrow()) {
            gradKernels.narrowRows(part.matrix().dtype(), floats, part.rows(), part.count(), part.columns());
        }
    }

    void forward(Tensor qkv, HeadLayout heads, Batch batch, Tensor out, Tensor lse) {
        workers.run(batch.spans().size() * heads.kvHeads(), (task, worker) -> {
            Batch.Span span = batch.spans().get(task / heads.kvHeads());
            forward(qkv, heads, span, task % heads.kvHeads(), out, lse, scratch[worker]);
        });
    }

    private void forward(
            Tensor qkv, HeadLayout heads, Batch.Span span, int kvHead, Tensor out, Tensor lse, Scratch scratch) {
        int dim = heads.headDim();
        int group = heads.groupSize();
        int blocks = KvLayout.blocks(span.count());
        long blockFloats = 2L * BLOCK * dim;
        long tileQueries = (long) TILE * group;
        long tileState = kernels.attendState(tileQueries, dim);
        long tileScratch = tileState + kernels.attendScratch(tileQueries, dim);
        long column = heads.queryWidth() + (long) kvHead * dim;
        Part keys = new Part(qkv, span.first(), column, span.count(), dim);
        Part values = new Part(qkv, span.first(), column + heads.kvWidth(), span.count(), dim);
        long tile = 2L * TILE * group * dim;
        Floats memory =
                new Floats(scratch, blocks * blockFloats + tileScratch + 2L * blocks + 2 * keys.floats() + tile);
        MemorySegment gathered = memory.next(blocks * blockFloats);
        MemorySegment table = memory.next(2L * blocks);
        MemorySegment state = memory.next(tileState);
        MemorySegment attendScratch = memory.next(tileScratch - tileState);
        for (int i = 0; i < blocks; i++) {
            table.set(
                    ValueLayout.JAVA_LONG_UNALIGNED,
                    8L * i,
                    gathered.asSlice(4 * i * blockFloats).address());
        }
        CachedHeads head = new CachedHeads(DType.F32, table, 0, (long) BLOCK * dim, 1, dim);
        Rows key = read(keys, memory);
        Rows value = read(values, memory);
        kernels.storeKeysValues(head, 0, span.count(), key.first(), value.first(), key.stride());
        long width = (long) group * dim;
        long used = memory.used;
        for (int first = 0; first < span.count(); first += TILE) {
            memory.used = used;
            int count = Math.min(TILE, span.count() - first);
            int row = span.first() + first;
            Part queries = new Part(qkv, row, kvHead * width, count, width);
            Part outs = new Part(out, row, kvHead * width, count, width);
            Rows query = read(queries, memory);
            Rows to = written(outs, memory);
            Rows denominators = new Part(lse, row, (long) kvHead * group, count, group).rows();
            Queries asked = new Queries(first, count, group, heads(query));
            kernels.attend(head, asked, 0, asked.stretches(), state, attendScratch);
            kernels.attendFold(head, asked, new States(state, 1, 0), heads(to), heads(denominators));
            put(to, outs);
        }
    }

    private static HeadRows heads(Rows rows) {
        return new HeadRows(rows.first(), rows.stride());
    }

    void backward(Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv) {
        workers.run(batch.spans().size() * heads.kvHeads(), (task, worker) -> {
            Batch.Span span = batch.spans().get(task / heads.kvHeads());
            SpanGradient gradient = new SpanGradient(qkv, out, lse, dOut, dQkv, heads, span, task % heads.kvHeads());
            backward(gradient, scratch[worker]);
        });
    }

    /** One key/value head of one sequence. */
    private record SpanGradient(
            Tensor qkv,
            Tensor out,
            Tensor lse,
            Tensor dOut,
            Tensor dQkv,
            HeadLayout heads,
            Batch.Span span,
            int kvHead) {
        Part queries(Tensor of) {
            long width = (long) heads.groupSize() * heads.headDim();
            return new Part(of, span.first(), kvHead * width, span.count(), width);
        }

        Part keys(Tensor of) {
            long column = heads.queryWidth() + (long) kvHead * heads.headDim();
            return new Part(of, span.first(), column, span.count(), heads.headDim());
        }

        Part values(Tensor of) {
            long column = heads.queryWidth() + heads.kvWidth() + (long) kvHead * heads.headDim();
            return new Part(of, span.first(), column, span.count(), heads.headDim());
        }

        Rows denominators() {
            return new Part(lse, span.first(), (long) kvHead * heads.groupSize(), span.count(), heads.groupSize())
                    .rows();
        }
    }

    private void backward(SpanGradient g, Scratch scratch) {
        HeadLayout heads = g.heads();
        int dim = heads.headDim();
        int count = g.span().count();
        long kernelScratch = gradKernels.attendBackwardScratch(count, dim);
        long wide = (long) count * (heads.groupSize() + 2) * dim;
        Floats memory = new Floats(scratch, kernelScratch + 4 * wide);
        MemorySegment own = memory.next(kernelScratch);
        Qkv from = new Qkv(g, g.qkv(), memory, true);
        Qkv to = new Qkv(g, g.dQkv(), memory, false);
        Rows out = read(g.queries(g.out()), memory);
        Rows dOut = g.queries(g.dOut()).rows();
        if (dOut.stride() != out.stride()) { // the kernel knows one stride
            Rows copied = memory.rows(count, out.stride());
            gradKernels.widenRows(DType.F32, dOut, copied, count, out.stride());
            dOut = copied;
        }
        Rows lse = g.denominators();
        GradKernels.AttentionHead head = new GradKernels.AttentionHead(
                from.query.first(),
                from.key.first(),
                from.value.first(),
                from.query.stride(),
                out.first(),
                dOut.first(),
                out.stride(),
                lse.first(),
                lse.stride(),
                to.query.first(),
                to.key.first(),
                to.value.first());
        gradKernels.attendBackward(head, count, heads.groupSize(), dim, own);
        put(to.query, g.queries(g.dQkv()));
        put(to.key, g.keys(g.dQkv()));
        put(to.value, g.values(g.dQkv()));
    }

    /** Queries, keys and values with one stride: those of a tensor, or, if it is narrow, side by side in a task's memory. */
    private final class Qkv {
        private final Rows query;
        private final Rows key;
        private final Rows value;

        Qkv(SpanGradient g, Tensor of, Floats memory, boolean isRead) {
            Part queries = g.queries(of);
            Part keys = g.keys(of);
            Part values = g.values(of);
            if (!queries.isNarrow()) {
                query = queries.rows();
                key = keys.rows();
                value = values.rows();
                return;
            }
            query = memory.rows(queries.count(), queries.columns() + keys.columns() + values.columns());
            key = new Rows(query.first().asSlice(4 * queries.columns()), query.stride());
            value = new Rows(key.first().asSlice(4 * keys.columns()), query.stride());
            if (isRead) {
                gradKernels.widenRows(of.dtype(), queries.rows(), query, queries.count(), queries.columns());
                gradKernels.widenRows(of.dtype(), keys.rows(), key, keys.count(), keys.columns());
                gradKernels.widenRows(of.dtype(), values.rows(), value, values.count(), values.columns());
            }
        }
    }

    @Override
    public void close() {
        for (Scratch one : scratch) {
            one.close();
        }
    }
}
