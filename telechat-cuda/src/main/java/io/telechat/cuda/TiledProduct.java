// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.Stream;

/** The kernels of product.cu: which one, on what grid. */
final class TiledProduct {
    private static final int SMALL_TILE = 64;
    private static final int LARGE_TILE = 128;
    /** Elements of a row of a tile in shared memory. */
    private static final int PITCH = 40;

    private static final String SIGNATURE = "plpliiipppl";

    private final Stream stream;
    private final Kernels kernels;
    private final int multiprocessors;

    TiledProduct(Stream stream, Kernels kernels) {
        this.stream = stream;
        this.kernels = kernels;
        this.multiprocessors = stream.device().multiprocessors();
    }

    /**
     * @param kind nt, nn or tn, and the type of the second operand
     * @param planes of the first operand
     * @param planesB of the second
     */
    private record Variant(String kind, int planes, int planesB, int tile) {
        String kernel() {
            return "product_" + kind + "_p" + planes + "_" + tile;
        }

        /** Two tiles of planes, and the scales of quantized weights. */
        int sharedBytes() {
            return (planes + planesB) * tile * PITCH * Short.BYTES + tile * Float.BYTES;
        }
    }

    /** Rows and columns of the result, and what is summed over. */
    private record Size(long m, long n, long depth) {}

    void linear(Tensor x, Tensor matrix, long bias, long residual, Matrix y, Precision precision) {
        int planes = precision.planes(matrix.dtype());
        int planesB = switch (matrix.dtype()) {
            case BF16, Q8, Q4 -> 1;
            case F16 -> 2;
            default -> planes;
        };
        boolean fills = Math.ceilDiv(x.rows(), LARGE_TILE) * Math.ceilDiv(matrix.rows(), LARGE_TILE) >= multiprocessors;
        boolean large = fills && (matrix.dtype() == DType.F32 || planes < 3);
        launch(
                new Variant("nt_" + matrix.dtype(), planes, planesB, large ? LARGE_TILE : SMALL_TILE),
                new Size(x.rows(), matrix.rows(), x.columns()),
                Matrix.of(x),
                Matrix.of(matrix),
                bias,
                residual,
                y);
    }

    void inputGrad(Tensor dy, long column, Tensor matrix, Tensor dx, boolean add, Precision precision) {
        int planes = matrix.dtype() == DType.BF16 ? precision.planes(DType.BF16) : 3;
        int planesB = switch (matrix.dtype()) {
            case BF16 -> 1;
            case F16 -> 2;
            default -> planes;
        };
        launch(
                new Variant("nn_" + matrix.dtype(), planes, planesB, SMALL_TILE),
                new Size(dy.rows(), dx.columns(), matrix.rows()),
                Matrix.of(dy).plus(column * Float.BYTES),
                Matrix.of(matrix),
                0,
                add ? DeviceStorage.address(dx) : 0,
                Matrix.of(dx));
    }

    void weightGrad(Tensor x, Tensor dy, long column, Tensor dW, Precision precision) {
        int planes = precision == Precision.EXACT ? 3 : 1;
        launch(
                new Variant("tn_f32", planes, planes, SMALL_TILE),
                new Size(dW.rows(), x.columns(), x.rows()),
                Matrix.of(dy).plus(column * Float.BYTES),
                Matrix.of(x),
                0,
                DeviceStorage.address(dW),
                Matrix.of(dW));
    }

    private void launch(Variant variant, Size size, Matrix a, Matrix b, long bias, long residual, Matrix y) {
        stream.launch(kernels.get("product", variant.kernel(), SIGNATURE))
                .grid(Math.ceilDiv(size.n(), variant.tile()), Math.ceilDiv(size.m(), variant.tile()), 1)
                .threads(2 * variant.tile())
                .shared(variant.sharedBytes())
                .put(a.address())
                .put(a.pitch())
                .put(b.address())
                .put(b.pitch())
                .put((int) size.m())
                .put((int) size.n())
                .put((int) size.depth())
                .put(bias)
                .put(residual)
                .put(y.address())
                .put(y.pitch())
                .run();
    }
}
