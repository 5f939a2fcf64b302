// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.Tensor;
import java.util.Map;

/** What AdamW keeps of a tensor from step to step: the running means of its gradient and of the gradient's square. */
public sealed interface Moments permits FloatMoments, BlockwiseMoments {
    /** Brings the means up to date with the gradient, and the value with them. */
    void update(Trained parameter, AdamWStep step);

    /** The tensors that hold the means, by what they are; a checkpoint that has them all has every bit of the means. */
    Map<String, Tensor> tensors();
}
