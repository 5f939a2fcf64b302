// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.training;

import io.telechat.core.architecture.ModelWeights;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;

/** Gradients of all parameters, in memory for as long as the model is trained. */
public final class ResidentGradients extends FullGradients {
    private final ModelWeights gradients;

    /** @param gradients where those of each weight are gathered, of the weights' shapes */
    public ResidentGradients(GradOps ops, ModelWeights gradients) {
        super(ops);
        this.gradients = gradients;
    }

    @Override
    protected Weight matrix(WeightId id) {
        return gradients.matrix(id);
    }

    @Override
    protected Tensor normWeight(WeightId id) {
        return gradients.norm(id);
    }
}
