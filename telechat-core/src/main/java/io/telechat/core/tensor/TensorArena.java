// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

/**
 * Owns the memory of the tensors made from it; closing it frees them all at once. A backend hands out arenas whose
 * tensors its operations can work on.
 */
public interface TensorArena extends AutoCloseable {
    /** A new tensor filled with zeros. */
    Tensor allocate(DType dtype, long... dims);

    /** Bytes allocated so far. */
    long bytes();

    @Override
    void close();
}
