// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;
import java.util.List;

/**
 * Where an {@link Architecture} takes tensors from when it assembles weights: a checkpoint, gradients, or anything else that has
 * the checkpoint's names. What is assembled passes through {@link #norm} and {@link #matrix} one by one, in the order of the
 * computation, so that a source may bring each into the form that is computed with before it reads the next.
 */
public interface WeightSource {
    /** The tensor of this name as it is stored; nothing is copied. */
    Tensor get(String name);

    /** A matrix that is stored as [in, out], as [out, in]. */
    Tensor transposed(String name);

    /** A matrix that is stored as [in, out], on its own. */
    default Weight transposedMatrix(WeightId id, String name) {
        return matrix(id, transposed(name));
    }

    /** The weight of a norm. */
    default Tensor norm(String name) {
        return get(name);
    }

    /** A matrix that is made of these blocks. */
    default Weight matrix(WeightId id, List<Weight.Block> blocks) {
        return new Weight(id, blocks);
    }

    /** Likewise, of tensors without biases. */
    default Weight matrix(WeightId id, Tensor... matrices) {
        return matrix(id, Weight.of(id, matrices).blocks());
    }
}
