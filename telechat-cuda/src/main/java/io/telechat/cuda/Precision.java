// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.tensor.DType;

/** What may be rounded to bfloat16 before the tensor cores multiply it; sums are floats always. */
enum Precision {
    /** Nothing: activations go in as three planes, which hold all bits of a float. */
    EXACT,
    /** Activations, as far as the weights are no finer: what inference and training in half precision do everywhere. */
    ROUNDING;

    /** How many planes the activations have beside weights of a type. */
    int planes(DType weights) {
        if (this == EXACT) {
            return 3;
        }
        return switch (weights) {
            case BF16, Q4 -> 1;
            case F16, Q8 -> 2;
            default -> 3;
        };
    }
}
