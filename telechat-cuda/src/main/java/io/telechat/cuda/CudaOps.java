// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.Stream;

/**
 * The forward formulas on a GPU: every call starts kernels and returns. A pass over a few tokens is held back until its results are
 * asked for, and started as a whole if the same has been started before.
 */
final class CudaOps implements Ops {
    /** Threads that work on a head's norm. */
    private static final int WARP = 32;

    private final CudaEngine engine;
    private final Stream stream;
    private final Kernels kernels;
    private final Precision precision;

    CudaOps(CudaEngine engine, Precision precision) {
        this.engine = engine;
        this.stream = engine.stream();
        this.kernels = engine.kernels();
        this.precision = precision;
    }

    @Override
    public void begin(Batch batch) {
        engine.begin(batch);
    }

    @Override
    public void flush() {
        stream.flushAndGoOn();
    }

    @Override
    public void embed(int[] tokens, Weight table, float scale, Tensor out) {
        Shapes.embed(tokens, table, out);
        Tensor matrix = table.blocks().getFirst().matrix();
        stream.launch(kernels.get("embed", "embed_" + matrix.dtype(), "pplfip"))
                .grid(tokens.length)
                .threads(Kernels.THREADS)
                .put(engine.ids(tokens))
                .put(DeviceStorage.address(matrix))
                .put(DeviceStorage.pitch(matrix))
                .put(scale)
                .put((int) out.columns())
                .put(DeviceStorage.address(out))
                .run();
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor rstd) {
        Shapes.rmsNorm(x, weight, y, rstd);
        stream.launch(kernels.get("rms_norm", "rms_norm", "ppfipp"))
                .grid(x.rows())
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(x))
                .put(DeviceStorage.address(weight))
                .put(eps)
                .put((int) x.columns())
                .put(DeviceStorage.address(y))
                .put(DeviceStorage.address(rstd))
                .run();
    }

    @Override
    public void headNorm(
            Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor y, Tensor rstd) {
        Shapes.headNorm(x, heads, queryNorm, keyNorm, y, rstd);
        long all = x.rows() * (heads.heads() + 2L * heads.kvHeads());
        stream.launch(kernels.get("head_norm", "head_norm", "piiiippfpp"))
                .grid(Kernels.blocks(all * WARP))
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(x))
                .put((int) x.rows())
                .put(heads.heads())
                .put(heads.kvHeads())
                .put(heads.headDim())
                .put(DeviceStorage.address(queryNorm))
                .put(DeviceStorage.address(keyNorm))
                .put(eps)
                .put(DeviceStorage.address(y))
                .put(DeviceStorage.address(rstd))
                .run();
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        Shapes.linear(x, w, y);
        engine.products().linear(x, w, null, y, precision);
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        Shapes.linearAdd(x, w, residual, y);
        engine.products().linear(x, w, residual, y, precision);
    }

    @Override
    public void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        Shapes.rope(qkv, heads, batch);
        turn(engine, qkv, heads, batch, 1);
    }

    /** Turns queries and keys by the batch's angles, forward (1) or backward (-1). */
    static void turn(CudaEngine engine, Tensor qkv, HeadLayout heads, Batch batch, float direction) {
        BatchTables tables = engine.tables(batch);
        int turned = heads.heads() + heads.kvHeads();
        int half = heads.headDim() / 2;
        long pairs = qkv.rows() * turned * half;
        engine.stream()
                .launch(engine.kernels().get("rope", "rope", "piiiipppfl"))
                .grid(Kernels.blocks(pairs))
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(qkv))
                .put((int) qkv.columns())
                .put(heads.heads())
                .put(turned)
                .put(half)
                .put(tables.cos())
                .put(tables.sin())
                .put(tables.queryFactors())
                .put(direction)
                .put(pairs)
                .run();
    }

    @Override
    public void turnKeys(KvCache cache, RopeTable from, RopeTable to) {
        Shapes.turnKeys(cache, from, to);
        KvLayout layout = cache.layout();
        long[] blocks = new long[KvLayout.blocks(cache.length())];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = DeviceStorage.address(cache.block(i));
        }
        int half = layout.heads().headDim() / 2;
        int angles = cache.length() * half;
        stream.launch(kernels.get("rope", "turn_keys_" + layout.dtype(), "piiipppp"))
                .grid(blocks.length, (long) layout.layers() * layout.heads().kvHeads(), 1)
                .threads(Kernels.THREADS)
                .put(engine.uploads().put(blocks))
                .put(cache.length())
                .put(layout.heads().kvHeads())
                .put(half)
                .put(engine.uploads().put(from.cos(), angles))
                .put(engine.uploads().put(from.sin(), angles))
                .put(engine.uploads().put(to.cos(), angles))
                .put(engine.uploads().put(to.sin(), angles))
                .run();
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        Shapes.attention(qkv, heads, batch, layer, out, lse);
        BatchTables tables = engine.tables(batch);
        DType cache = cacheType(batch);
        if (cache != null) {
            stream.launch(kernels.get("kv_store", "kv_store_" + cache, "pppiiii"))
                    .grid(batch.size(), heads.kvHeads(), 1)
                    .threads(128)
                    .put(DeviceStorage.address(qkv))
                    .put(tables.tokenBlocks())
                    .put(tables.tokenSlots())
                    .put(layer)
                    .put(heads.heads())
                    .put(heads.kvHeads())
                    .put(heads.headDim())
                    .run();
        }
        engine.attention().run(qkv, heads, tables, cache, layer, out, lse, precision);
    }

    /** Null where the spans have no caches. */
    private static DType cacheType(Batch batch) {
        DType type = null;
        for (int i = 0; i < batch.spans().size(); i++) {
            Batch.Span span = batch.spans().get(i);
            DType own = span.isCached() ? span.cache().layout().dtype() : null;
            if (i > 0 && own != type) {
                throw new IllegalArgumentException("caches of several types, or of some spans only, in one batch");
            }
            type = own;
        }
        return type;
    }

    @Override
    public void swiGlu(Tensor gateUp, Tensor out) {
        Shapes.swiGlu(gateUp, out);
        long elements = out.shape().elements();
        stream.launch(kernels.get("elementwise", "swi_glu", "plip"))
                .grid(Kernels.blocks(elements))
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(gateUp))
                .put(elements)
                .put((int) out.columns())
                .put(DeviceStorage.address(out))
                .run();
    }

    @Override
    public void selectRows(Tensor x, int[] rows, Tensor out) {
        Shapes.selectRows(x, rows, out);
        stream.launch(kernels.get("elementwise", "select_rows", "ppip"))
                .grid(rows.length)
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(x))
                .put(engine.uploads().put(rows))
                .put((int) x.columns())
                .put(DeviceStorage.address(out))
                .run();
    }

    @Override
    public void copyColumns(Tensor from, int first, Tensor to, int at, int count) {
        Shapes.copyColumns(from, first, to, at, count);
        stream.launch(kernels.get("rows", "copy_columns", "plipl"))
                .grid(from.rows(), Kernels.blocks(count), 1)
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(from) + (long) first * Float.BYTES)
                .put(from.columns())
                .put(count)
                .put(DeviceStorage.address(to) + (long) at * Float.BYTES)
                .put(to.columns())
                .run();
    }

    @Override
    public void clearRows(Tensor x, boolean[] which) {
        Shapes.clearRows(x, which);
        int[] table = new int[which.length];
        for (int row = 0; row < which.length; row++) {
            table[row] = which[row] ? 1 : 0;
        }
        stream.launch(kernels.get("rows", "clear_rows", "pip"))
                .grid(which.length)
                .threads(Kernels.THREADS)
                .put(engine.uploads().put(table))
                .put((int) x.columns())
                .put(DeviceStorage.address(x))
                .run();
    }

    @Override
    public void scale(Tensor x, float factor) {
        long elements = x.shape().elements();
        stream.launch(kernels.get("elementwise", "scale", "plf"))
                .grid(Kernels.blocks(elements))
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(x))
                .put(elements)
                .put(factor)
                .run();
    }
}
