// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.training;

import io.telechat.core.architecture.ModelWeights;
import io.telechat.core.model.Gradients;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;

/** Every parameter is trained. */
public final class FullGradients implements Gradients {
    private final GradOps ops;
    private final ModelWeights gradients;

    /** @param gradients where those of each weight are gathered, of the weights' shapes */
    public FullGradients(GradOps ops, ModelWeights gradients) {
        this.ops = ops;
        this.gradients = gradients;
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor dy, Tensor dx, boolean add) {
        ops.linearWeightGrad(x, dy, gradients.matrix(w.id()));
        ops.linearInputGrad(dy, w, dx, add);
    }

    @Override
    public void norm(WeightId id, Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx) {
        ops.rmsNormBackward(x, weight, rstd, dy, residual, dx, gradients.norm(id));
    }

    @Override
    public void embedding(int[] tokens, Tensor dOut, float scale) {
        ops.embedBackward(
                tokens, dOut, scale, gradients.embedding().blocks().getFirst().matrix());
    }
}
