// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

/** What a matrix is packed as for a product, numbered as in matrix_products.h. */
public enum PackedForm {
    /** Floats, whatever the matrix holds. */
    FLOATS,

    /** Pairs of bfloat16, whose products are added up as floats: where the CPU multiplies these faster. */
    PAIRS
}
