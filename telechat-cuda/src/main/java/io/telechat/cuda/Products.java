// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.CublasLt;
import io.telechat.cuda.driver.Stream;
import java.util.Optional;

/**
 * The three products of a linear layer, and by which of three ways they are computed: few tokens by product_few.cu, many by cuBLASLt
 * where it is installed and has the types, otherwise by product.cu.
 */
final class Products implements AutoCloseable {
    /** Tokens that product_few.cu takes. */
    static final int FEW = 32;

    private static final String FEW_SIGNATURE = "ppliiipppl";

    private final Stream stream;
    private final Kernels kernels;
    private final TiledProduct tiled;
    private final LibraryProduct library;

    Products(Stream stream, Kernels kernels, Optional<CublasLt> library) {
        this.stream = stream;
        this.kernels = kernels;
        this.tiled = new TiledProduct(stream, kernels);
        this.library = new LibraryProduct(stream, kernels, library);
    }

    /** Which library multiplies large matrices; empty where our own kernels do. */
    Optional<String> libraryVersion() {
        return library.version();
    }

    /**
     * {@code y = x · Wᵀ + bias + residual} for all blocks of the weight.
     *
     * @param residual of the shape of y, which it may be; null for none
     */
    void linear(Tensor x, Weight w, Tensor residual, Tensor y, Precision precision) {
        library.begin();
        long column = 0;
        for (Weight.Block block : w.blocks()) {
            long offset = column * Float.BYTES;
            Matrix to = Matrix.of(y).plus(offset);
            long add = residual == null ? 0 : DeviceStorage.address(residual) + offset;
            long bias = block.bias().map(DeviceStorage::address).orElse(0L);
            if (x.rows() <= FEW) {
                few(x, block.matrix(), bias, add, to, precision);
            } else if (!library.linear(x, block.matrix(), bias, add, to, precision)) {
                tiled.linear(x, block.matrix(), bias, add, to, precision);
            }
            column += block.rows();
        }
    }

    private void few(Tensor x, Tensor matrix, long bias, long residual, Matrix y, Precision precision) {
        int tokens = (int) x.rows();
        int tiles = tokens <= 8 ? 1 : 4;
        DType dtype = matrix.dtype();
        String name = dtype.isQuantized()
                ? "few_" + dtype + "_t" + tiles
                : "few_" + dtype + "_p" + precision.planes(dtype) + "_t" + tiles;
        stream.launch(kernels.get("product_few", name, FEW_SIGNATURE))
                .grid(Math.ceilDiv(matrix.rows(), dtype.isQuantized() ? 32 : 16))
                .threads(256)
                .put(DeviceStorage.address(x))
                .put(DeviceStorage.address(matrix))
                .put(DeviceStorage.pitch(matrix))
                .put(tokens)
                .put((int) matrix.rows())
                .put((int) matrix.columns())
                .put(bias)
                .put(residual)
                .put(y.address())
                .put(y.pitch())
                .run();
    }

    /** {@code dx = dy · W}, or added to what is there. */
    void inputGrad(Tensor dy, Weight w, Tensor dx, boolean add, Precision precision) {
        library.begin();
        long column = 0;
        boolean adds = add;
        for (Weight.Block block : w.blocks()) {
            if (!library.inputGrad(dy, column, block.matrix(), dx, adds, precision)) {
                tiled.inputGrad(dy, column, block.matrix(), dx, adds, precision);
            }
            column += block.rows();
            adds = true;
        }
    }

    /** {@code dW += dyᵀ · x}, biases left out. */
    void weightGrad(Tensor x, Tensor dy, Weight dW, Precision precision) {
        library.begin();
        long column = 0;
        for (Weight.Block block : dW.blocks()) {
            if (!library.weightGrad(x, dy, column, block.matrix(), precision)) {
                tiled.weightGrad(x, dy, column, block.matrix(), precision);
            }
            column += block.rows();
        }
    }

    @Override
    public void close() {
        library.close();
    }
}
