// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.Stream;

/** Attention's forward formula: which of the kernels in attention.cu, on what grid, and in how many parts of the positions. */
final class Attention implements AutoCloseable {
    private static final String SIGNATURE = "ppppiiiifpppp";
    private static final int MOST_SPLITS = 32;
    /** Blocks that a multiprocessor is given, so that some wait for memory while others compute. */
    private static final int BLOCKS_PER_MULTIPROCESSOR = 4;

    private final Stream stream;
    private final Kernels kernels;
    private final Scratch parts;
    private final int multiprocessors;

    Attention(Stream stream, Kernels kernels) {
        this.stream = stream;
        this.kernels = kernels;
        this.parts = new Scratch(stream);
        this.multiprocessors = stream.device().multiprocessors();
    }

    /**
     * The sizes of tiles, as in attention.cu.
     *
     * @param dim at least the width of a head
     * @param rows queries of a tile
     * @param positions keys of a step
     */
    private record Tiling(int dim, int rows, int positions) {
        static Tiling of(int headDim, int planes, int keyPlanes) {
            if (headDim > 256) {
                throw new IllegalArgumentException("heads of %d are wider than 256".formatted(headDim));
            }
            int dim = Math.max(64, Math.ceilDiv(headDim, 64) * 64);
            int size = switch (dim) {
                case 64 -> 64;
                case 128 -> keyPlanes > 1 ? 32 : 64;
                case 192 -> keyPlanes > 1 ? 16 : planes > 1 ? 32 : 64;
                default -> keyPlanes > 1 ? 16 : 32;
            };
            return new Tiling(dim, size, size);
        }

        int sharedBytes(int queryPlanes, int keyPlanes) {
            int pitch = dim + 8;
            int elements = queryPlanes * rows * pitch + keyPlanes * (positions * pitch + dim * (positions + 8));
            return elements * Short.BYTES;
        }
    }

    /** Keys and values of the cache, if it is not null, are in it already. */
    void run(
            Tensor qkv,
            HeadLayout heads,
            BatchTables tables,
            DType cache,
            int layer,
            Tensor out,
            Tensor lse,
            Precision precision) {
        boolean rounds = precision == Precision.ROUNDING && (cache == null || cache == DType.BF16);
        int planes = rounds ? 1 : 3;
        int keyPlanes = cache == DType.BF16 ? 1 : cache == DType.F16 ? 2 : planes;
        Tiling tiling = Tiling.of(heads.headDim(), planes, keyPlanes);
        long tiles = tables.tiles(tiling.rows(), heads.groupSize());
        int splits = splits(tables.tileCount() * heads.kvHeads(), tables.longest());
        long queries = qkv.rows() * heads.heads();
        long partOut = 0;
        long partLse = 0;
        if (splits > 1) {
            partOut = parts.of(queries * splits * (heads.headDim() + 1L) * Float.BYTES);
            partLse = partOut + queries * splits * heads.headDim() * Float.BYTES;
        }
        String name = "attention_" + (cache == null ? "rows" : cache) + "_p" + planes + "_d" + tiling.dim();
        stream.launch(kernels.get("attention", name, SIGNATURE))
                .grid(tables.tileCount(), heads.kvHeads(), splits)
                .threads(2 * tiling.rows())
                .shared(tiling.sharedBytes(planes, keyPlanes))
                .put(DeviceStorage.address(qkv))
                .put(tables.spans())
                .put(tiles)
                .put(tables.blockTable())
                .put(layer)
                .put(heads.heads())
                .put(heads.kvHeads())
                .put(heads.headDim())
                .put((float) (1 / Math.sqrt(heads.headDim())))
                .put(DeviceStorage.address(out))
                .put(DeviceStorage.address(lse))
                .put(partOut)
                .put(partLse)
                .run();
        if (splits > 1) {
            stream.launch(kernels.get("attention", "attention_merge", "ppiipp"))
                    .grid(queries)
                    .threads(128)
                    .put(partOut)
                    .put(partLse)
                    .put(splits)
                    .put(heads.headDim())
                    .put(DeviceStorage.address(out))
                    .put(DeviceStorage.address(lse))
                    .run();
        }
    }

    /** Powers of two, and by powers of two of the length, so that a sequence can grow for a while without another grid. */
    private int splits(int blocks, int positions) {
        int wanted = Math.ceilDiv(BLOCKS_PER_MULTIPROCESSOR * multiprocessors, Math.max(1, blocks));
        int possible = ceilingPowerOfTwo(KvLayout.blocks(positions));
        return Math.min(Math.min(ceilingPowerOfTwo(wanted), possible), MOST_SPLITS);
    }

    private static int ceilingPowerOfTwo(int value) {
        return value <= 1 ? 1 : 2 * Integer.highestOneBit(value - 1);
    }

    @Override
    public void close() {
        parts.close();
    }
}
