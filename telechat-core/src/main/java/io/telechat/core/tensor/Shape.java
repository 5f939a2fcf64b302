// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** An immutable list of dimensions, outermost first. Tensors are row-major and contiguous, so there are no strides. */
public final class Shape {
    private final long[] dims;
    private final long elements;

    private Shape(long[] dims) {
        long product = 1;
        for (long dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("negative dimension in " + Arrays.toString(dims));
            }
            product = Math.multiplyExact(product, dim);
        }
        this.dims = dims;
        this.elements = product;
    }

    /**
     * @throws IllegalArgumentException if a dimension is negative
     * @throws ArithmeticException if the number of elements overflows 64 bits
     */
    public static Shape of(long... dims) {
        return new Shape(dims.clone());
    }

    public int rank() {
        return dims.length;
    }

    public long dim(int axis) {
        return dims[axis];
    }

    public long[] toArray() {
        return dims.clone();
    }

    /** The number of elements; 1 for a scalar. */
    public long elements() {
        return elements;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
