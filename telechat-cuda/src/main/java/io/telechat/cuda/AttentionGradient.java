// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.Kernel;
import io.telechat.cuda.driver.Stream;

/** Attention's backward formula: the kernels of attention_backward.cu, on what grid. */
final class AttentionGradient implements AutoCloseable {
    private static final String SIGNATURE = "pppppiiifp";
    private static final int[] WIDTHS = {64, 128, 160, 256};

    private final CudaEngine engine;
    private final Stream stream;
    private final Kernels kernels;
    private final Scratch deltas;

    AttentionGradient(CudaEngine engine) {
        this.engine = engine;
        this.stream = engine.stream();
        this.kernels = engine.kernels();
        this.deltas = new Scratch(stream);
    }

    /**
     * Sizes as in attention_backward.cu.
     *
     * @param width of the heads, filled up
     * @param planes of all operands
     */
    private record Tiling(int width, int planes) {
        static Tiling of(int headDim, int planes) {
            for (int width : WIDTHS) {
                if (headDim <= width) {
                    return new Tiling(width, planes);
                }
            }
            throw new IllegalArgumentException("heads of %d are wider than 256".formatted(headDim));
        }

        /** Rows that stay. */
        int outer() {
            return width > 160 && planes > 1 ? 32 : 64;
        }

        /** Rows that pass by. */
        int inner() {
            return width > 128 && planes > 1 ? 16 : 32;
        }

        int threads() {
            return outer() / 16 * 64;
        }

        private int row() {
            return planes * width / 2 + 4;
        }

        int sharedBytesOfKeys() {
            return 4 * (2 * (outer() + inner()) * row() + outer() * inner() + 2 * inner());
        }

        int sharedBytesOfQueries() {
            return 4 * ((2 * outer() + inner()) * row() + Math.max(inner() * row(), 2 * outer() * inner()));
        }
    }

    void run(
            Tensor qkv,
            Tensor out,
            Tensor lse,
            Tensor dOut,
            HeadLayout heads,
            BatchTables tables,
            Tensor dQkv,
            Precision precision) {
        Tiling tiling = Tiling.of(heads.headDim(), precision == Precision.EXACT ? 3 : 1);
        int needed = Math.max(tiling.sharedBytesOfKeys(), tiling.sharedBytesOfQueries());
        if (needed > stream.device().sharedBytes()) {
            throw new InvalidRequestException(
                    "training in f32 with heads of %d takes %d KiB of shared memory, %s has %d: use --dtype bf16",
                    heads.headDim(),
                    Math.ceilDiv(needed, 1024),
                    stream.device().name(),
                    stream.device().sharedBytes() / 1024);
        }
        long rows = qkv.rows() * heads.heads();
        long delta = deltas.of(rows * Float.BYTES);
        stream.launch(kernels.get("attention_backward", "attention_delta", "pplip"))
                .grid(Kernels.blocks(rows * 32))
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(out))
                .put(DeviceStorage.address(dOut))
                .put(rows)
                .put(heads.headDim())
                .put(delta)
                .run();
        int[] tiles = tables.rowTiles(tiling.outer());
        long table = engine.uploads().put(tiles);
        for (String what : new String[] {"keys", "queries"}) {
            boolean keys = what.equals("keys");
            String name = "attention_backward_%s_d%d_p%d".formatted(what, tiling.width(), tiling.planes());
            Kernel kernel = kernels.get("attention_backward", name, SIGNATURE);
            stream.launch(kernel)
                    .grid(keys ? heads.kvHeads() : heads.heads(), tiles.length / 4, 1)
                    .threads(tiling.threads())
                    .shared(keys ? tiling.sharedBytesOfKeys() : tiling.sharedBytesOfQueries())
                    .put(DeviceStorage.address(qkv))
                    .put(DeviceStorage.address(dOut))
                    .put(DeviceStorage.address(lse))
                    .put(delta)
                    .put(table)
                    .put(heads.headDim())
                    .put(heads.heads())
                    .put(heads.kvHeads())
                    .put((float) (1 / Math.sqrt(heads.headDim())))
                    .put(DeviceStorage.address(dQkv))
                    .run();
        }
    }

    @Override
    public void close() {
        deltas.close();
    }
}
