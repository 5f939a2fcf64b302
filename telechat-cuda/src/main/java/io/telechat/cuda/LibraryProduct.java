// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.CublasLt;
import io.telechat.cuda.driver.Stream;
import java.util.Optional;

/**
 * Products by cuBLASLt, where it is installed: of floats as they are, and of bfloat16 weights with activations that may be rounded to
 * it. Each method returns whether it did the work.
 *
 * <p>What we call rows are the library's columns, so that all matrices are transposed to it, and factors change places.
 */
final class LibraryProduct implements AutoCloseable {
    private final Stream stream;
    private final Kernels kernels;
    private final Optional<CublasLt> library;
    private final Scratch rounded;
    private final Scratch roundedToo;
    private Tensor latest;

    LibraryProduct(Stream stream, Kernels kernels, Optional<CublasLt> library) {
        this.stream = stream;
        this.kernels = kernels;
        this.library = library;
        this.rounded = new Scratch(stream);
        this.roundedToo = new Scratch(stream);
    }

    Optional<String> version() {
        return library.map(CublasLt::version);
    }

    /** A formula begins: what has been rounded before may have changed since. */
    void begin() {
        latest = null;
    }

    /** {@code y = x · Wᵀ + bias + residual}. */
    boolean linear(Tensor x, Tensor matrix, long bias, long residual, Matrix y, Precision precision) {
        boolean bf16 = rounds(matrix.dtype(), precision);
        if (!takes(bf16, matrix.dtype()) || residual != 0 && residual % CublasLt.ALIGNMENT != 0) {
            return false;
        }
        Matrix w = Matrix.of(matrix);
        if (!areAligned(bf16, Matrix.of(x), w, y)) {
            return false;
        }
        Matrix activations = bf16 ? round(x, rounded) : Matrix.of(x);
        CublasLt.Shape shape = new CublasLt.Shape(
                bf16,
                true,
                false,
                matrix.rows(),
                x.rows(),
                x.columns(),
                w.pitch(),
                activations.pitch(),
                y.pitch(),
                residual != 0);
        library.orElseThrow().multiply(shape, w.address(), activations.address(), residual, y.address());
        if (bias != 0) {
            addBias(y, x.rows(), matrix.rows(), bias);
        }
        return true;
    }

    private void addBias(Matrix y, long rows, long columns, long bias) {
        stream.launch(kernels.get("elementwise", "add_bias", "plip"))
                .grid(rows)
                .threads(Kernels.THREADS)
                .put(y.address())
                .put(y.pitch())
                .put((int) columns)
                .put(bias)
                .run();
    }

    /** {@code dx (+)= dy · W}. */
    boolean inputGrad(Tensor dy, long column, Tensor matrix, Tensor dx, boolean add, Precision precision) {
        boolean bf16 = rounds(matrix.dtype(), precision);
        Matrix w = Matrix.of(matrix);
        Matrix y = Matrix.of(dx);
        if (!takes(bf16, matrix.dtype()) || !areAligned(bf16, Matrix.of(dy).plus(column * Float.BYTES), w, y)) {
            return false;
        }
        Matrix gradients = columns(dy, column, bf16, rounded);
        CublasLt.Shape shape = new CublasLt.Shape(
                bf16,
                false,
                false,
                dx.columns(),
                dy.rows(),
                matrix.rows(),
                w.pitch(),
                gradients.pitch(),
                y.pitch(),
                add);
        library.orElseThrow().multiply(shape, w.address(), gradients.address(), y.address(), y.address());
        return true;
    }

    /** {@code dW += dyᵀ · x}. */
    boolean weightGrad(Tensor x, Tensor dy, long column, Tensor dW, Precision precision) {
        boolean bf16 = precision == Precision.ROUNDING;
        Matrix to = Matrix.of(dW);
        if (!takes(bf16, DType.F32)
                || !areAligned(bf16, Matrix.of(x), Matrix.of(dy).plus(column * Float.BYTES), to)) {
            return false;
        }
        Matrix gradients = columns(dy, column, bf16, rounded);
        Matrix activations = bf16 ? round(x, roundedToo) : Matrix.of(x);
        CublasLt.Shape shape = new CublasLt.Shape(
                bf16,
                false,
                true,
                x.columns(),
                dW.rows(),
                x.rows(),
                activations.pitch(),
                gradients.pitch(),
                to.pitch(),
                true);
        library.orElseThrow().multiply(shape, activations.address(), gradients.address(), to.address(), to.address());
        return true;
    }

    private static boolean rounds(DType weights, Precision precision) {
        return weights == DType.BF16 && precision == Precision.ROUNDING;
    }

    private boolean takes(boolean bf16, DType weights) {
        return library.isPresent() && (bf16 || weights == DType.F32);
    }

    /** What will be rounded is aligned behind that; columns are taken of it at the same places. */
    private static boolean areAligned(boolean bf16, Matrix first, Matrix second, Matrix result) {
        int element = bf16 ? Short.BYTES : Float.BYTES;
        return isAligned(first, element)
                && isAligned(second, element)
                && result.isAligned(CublasLt.ALIGNMENT, Float.BYTES);
    }

    private static boolean isAligned(Matrix matrix, int element) {
        return matrix.address() % (CublasLt.ALIGNMENT * Float.BYTES / element) == 0
                && matrix.pitch() * element % CublasLt.ALIGNMENT == 0;
    }

    private Matrix columns(Tensor dy, long column, boolean bf16, Scratch memory) {
        Matrix all = bf16 ? round(dy, memory) : Matrix.of(dy);
        return all.plus(column * (bf16 ? Short.BYTES : Float.BYTES));
    }

    /** The tensor in bfloat16; not once more for the next block of a weight. */
    private Matrix round(Tensor x, Scratch memory) {
        long elements = x.shape().elements();
        long to = memory.of(elements * Short.BYTES);
        if (latest != x || memory != rounded) {
            stream.launch(kernels.get("elementwise", "narrow_bf16", "plp"))
                    .grid(Kernels.blocks(elements))
                    .threads(Kernels.THREADS)
                    .put(DeviceStorage.address(x))
                    .put(elements)
                    .put(to)
                    .run();
            latest = memory == rounded ? x : latest;
        }
        return new Matrix(to, x.columns());
    }

    @Override
    public void close() {
        library.ifPresent(CublasLt::close);
        rounded.close();
        roundedToo.close();
    }
}
