// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Shape;
import java.util.Optional;

/**
 * A tensor that a checkpoint of some architecture must have.
 *
 * @param name as in the published files
 * @param shape as in the published files
 * @param init how it starts when a model is made from nothing
 * @param transposed whether it is a matrix stored as [in, out]; quantized, it is stored as [out, in] all the same
 * @param rowUnit rows of a matrix are taken apart into pieces of so many; 0 if it stays whole
 */
public record TensorSpec(String name, Shape shape, Init init, boolean transposed, int rowUnit) {

    /** Initialisation of one tensor: drawn from a normal distribution, or constant. */
    public sealed interface Init {
        /** Independent draws from N(0, deviation²). */
        record Normal(double deviation) implements Init {}

        /** Every element has this value. */
        record Constant(float value) implements Init {}
    }

    static TensorSpec normal(String name, double deviation, long... dims) {
        return new TensorSpec(name, Shape.of(dims), new Init.Normal(deviation), false, 0);
    }

    static TensorSpec ones(String name, long... dims) {
        return new TensorSpec(name, Shape.of(dims), new Init.Constant(1), false, 0);
    }

    static TensorSpec zeros(String name, long... dims) {
        return new TensorSpec(name, Shape.of(dims), new Init.Constant(0), false, 0);
    }

    TensorSpec storedTransposed() {
        return new TensorSpec(name, shape, init, true, rowUnit);
    }

    TensorSpec inPiecesOf(int rows) {
        return new TensorSpec(name, shape, init, transposed, rows);
    }

    /** Whether this is a matrix whose pieces, if it is taken apart, are whole panels. */
    public boolean isQuantizable() {
        return shape.rank() == 2 && rowUnit % QuantizedLayout.PANEL == 0;
    }

    /** The shape as [out, in] for matrices; the shape itself for everything else. */
    public Shape computedShape() {
        return transposed ? Shape.of(shape.dim(1), shape.dim(0)) : shape;
    }

    /** The type that it is loaded as: a matrix that is not quantized yet may be rounded. */
    public DType loadedType(DType stored, Optional<DType> quantization) {
        return shape.rank() == 2 && !stored.isQuantized() ? quantization.orElse(stored) : stored;
    }

    /** Bytes that it takes as that. */
    public long loadedBytes(DType stored, Optional<DType> quantization) {
        return loadedType(stored, quantization).bytes(computedShape());
    }

    /** The shape that a checkpoint must have where the tensor is stored in this type. */
    public Shape storedShape(DType dtype) {
        return dtype.isQuantized() ? computedShape() : shape;
    }
}
