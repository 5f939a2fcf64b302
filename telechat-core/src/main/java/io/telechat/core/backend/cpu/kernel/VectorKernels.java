// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.quant.QuantizedActivations;
import io.telechat.core.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The kernels in Java, on the Vector API; what each does in a loop is in the classes beside this one. */
final class VectorKernels implements Kernels {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int BLOCK = KvLayout.BLOCK;

    @Override
    public KernelTier tier() {
        return KernelTier.VECTOR;
    }

    @Override
    public void rmsNorm(
            MemorySegment x,
            MemorySegment weight,
            float eps,
            MemorySegment y,
            MemorySegment rstd,
            long rows,
            long columns) {
        for (long row = 0; row < rows; row++) {
            long offset = 4 * row * columns;
            rstd.set(FLOAT, 4 * row, RowKernel.rmsNorm(x, weight, eps, y, offset, Math.toIntExact(columns)));
        }
    }

    @Override
    public void rope(
            MemorySegment x, MemorySegment cos, MemorySegment sin, long rows, long stride, long heads, int half) {
        for (long row = 0; row < rows; row++) {
            for (long head = 0; head < heads; head++) {
                RowKernel.rope(x, 4 * (row * stride + 2 * head * half), half, cos, sin, 4 * row * half);
            }
        }
    }

    @Override
    public void swiGlu(MemorySegment gateUp, MemorySegment out, long rows, long columns) {
        for (long row = 0; row < rows; row++) {
            long gate = 8 * row * columns;
            RowKernel.swiGlu(gateUp, gate, gate + 4 * columns, out, 4 * row * columns, Math.toIntExact(columns));
        }
    }

    @Override
    public void scale(MemorySegment x, float factor, long count) {
        RowKernel.scale(x, factor, count);
    }

    @Override
    public void pair(MemorySegment x, long tokens, long columns, MemorySegment to) {
        float[] row = new float[Math.toIntExact(columns)];
        for (long t = 0; t < tokens; t++) {
            MemorySegment.copy(x, FLOAT, 4 * t * columns, row, 0, row.length);
            LinearKernel.pair(row);
            MemorySegment.copy(row, 0, to, FLOAT, 4 * t * columns, row.length);
        }
    }

    @Override
    public long linearScratch(long columns) {
        return columns;
    }

    @Override
    public void linear(DType type, Product product, MemorySegment scratch) {
        LinearKernel.run(type, product, scratch);
    }

    @Override
    public long quantizedBytes(DType weights, long columns) {
        return new QuantizedActivations(weights, columns).tokenBytes();
    }

    @Override
    public void quantize(DType weights, MemorySegment x, long tokens, long columns, MemorySegment to) {
        QuantizedActivations layout = new QuantizedActivations(weights, columns);
        long bytes = layout.tokenBytes();
        for (long t = 0; t < tokens; t++) {
            layout.quantize(x.asSlice(4 * t * columns, 4 * columns), to.asSlice(t * bytes, bytes));
        }
    }

    @Override
    public void linearQuantized(DType type, Product product) {
        QuantizedKernel.run(type, product);
    }

    @Override
    public void storeKeysValues(
            CachedHeads heads, long position, long count, MemorySegment key, MemorySegment value, long stride) {
        int dim = heads.headDim();
        float[] row = new float[dim];
        for (int h = 0; h < heads.count(); h++) {
            for (long t = 0; t < count; t++) {
                int slot = (int) ((position + t) % BLOCK);
                long from = 4 * (t * stride + (long) h * dim);
                MemorySegment.copy(key, FLOAT, from, row, 0, dim);
                keys(heads, h, position + t).put(slot, row);
                MemorySegment.copy(value, FLOAT, from, row, 0, dim);
                values(heads, h, position + t).put(slot, row);
            }
        }
    }

    /** A head's keys in the block of a position. */
    private static HeadBlock keys(CachedHeads heads, int head, long position) {
        return HeadBlock.keys(heads.type(), part(heads, head, position, heads.keys()), heads.headDim());
    }

    private static HeadBlock values(CachedHeads heads, int head, long position) {
        return HeadBlock.values(heads.type(), part(heads, head, position, heads.values()), heads.headDim());
    }

    @SuppressWarnings("restricted")
    private static MemorySegment part(CachedHeads heads, int head, long position, long firstElement) {
        long block = heads.blocks().get(ValueLayout.JAVA_LONG, 8 * (position / BLOCK));
        KvLayout layout = new KvLayout(1, new HeadLayout(1, 1, heads.headDim()), heads.type());
        long size = layout.elementType().bytes();
        return MemorySegment.ofAddress(block + (firstElement + head * layout.headElements()) * size)
                .reinterpret(layout.headElements() * size);
    }

    @Override
    public long attendScratch(long queries, long headDim) {
        return 0; // arrays do
    }

    @Override
    public long attendState(long queries, long headDim) {
        return queries * (2 + headDim);
    }

    @Override
    public void attend(
            CachedHeads heads, Queries queries, int first, int end, MemorySegment states, MemorySegment scratch) {
        int dim = heads.headDim();
        int count = Math.toIntExact(queries.perHead());
        for (int h = 0; h < heads.count(); h++) {
            AttentionKernel kernel = new AttentionKernel(scaledQueries(queries, h, dim), count, dim);
            for (int stretch = first; stretch < end; stretch++) {
                attend(kernel, heads, h, queries, (long) stretch * STRETCH);
            }
            kernel.write(states, h * attendState(count, dim));
        }
    }

    /** What the queries of a head see of the stretch that begins at a position. */
    private static void attend(AttentionKernel kernel, CachedHeads heads, int head, Queries queries, long begin) {
        int[] sees = new int[Math.toIntExact(queries.perHead())];
        for (int i = 0; i < sees.length; i++) {
            long visible = queries.position() + i / queries.group() + 1 - begin;
            sees[i] = Math.clamp(visible, 0, STRETCH);
        }
        float[] block = new float[BLOCK * heads.headDim()];
        int positions = sees[sees.length - 1];
        for (int at = 0; at < positions; at += BLOCK) {
            HeadBlockWidening.widen(keys(heads, head, begin + at), block);
            kernel.scores(block, at, sees);
        }
        kernel.weights(sees);
        for (int at = 0; at < positions; at += BLOCK) {
            HeadBlockWidening.widen(values(heads, head, begin + at), block);
            kernel.values(block, at, sees);
        }
        kernel.fold(sees);
    }

    @Override
    public void attendFold(CachedHeads heads, Queries queries, States states, HeadRows out, HeadRows lse) {
        int dim = heads.headDim();
        int group = queries.group();
        long size = attendState(queries.perHead(), dim);
        float[] row = new float[dim];
        for (int h = 0; h < heads.count(); h++) {
            for (int i = 0; i < queries.perHead(); i++) {
                AttentionKernel.State state = new AttentionKernel.State(dim);
                for (int part = 0; part < states.count(); part++) {
                    state.fold(AttentionKernel.State.read(
                            states.first(), part * states.stride() + h * size + (long) i * (2 + dim), dim));
                }
                long t = i / group;
                long queryHead = (long) h * group + i % group;
                state.finish(row);
                MemorySegment.copy(row, 0, out.first(), FLOAT, 4 * (t * out.stride() + queryHead * dim), dim);
                lse.first().set(FLOAT, 4 * (t * lse.stride() + queryHead), state.logSumExp());
            }
        }
    }

    /** Of one key/value head, [count, group · dim], scaled by 1/√headDim. */
    private static float[] scaledQueries(Queries queries, int head, int dim) {
        int width = queries.group() * dim;
        float[] query = new float[Math.toIntExact(queries.count() * width)];
        for (int t = 0; t < queries.count(); t++) {
            long from = t * queries.rows().stride() + (long) head * width;
            MemorySegment.copy(queries.rows().first(), FLOAT, 4 * from, query, t * width, width);
        }
        float scale = (float) (1 / Math.sqrt(dim));
        for (int i = 0; i < query.length; i++) {
            query[i] *= scale;
        }
        return query;
    }
}
