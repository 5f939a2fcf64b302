// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.training;

import io.telechat.core.model.Gradients;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;

/** Every parameter is trained. */
public abstract class FullGradients implements Gradients {
    private final GradOps ops;

    protected FullGradients(GradOps ops) {
        this.ops = ops;
    }

    /** Where the gradient of a matrix is gathered, of the weight's shape. */
    protected abstract Weight matrix(WeightId id);

    /** Where the gradient of a norm's weight is gathered. */
    protected abstract Tensor normWeight(WeightId id);

    @Override
    public final void linear(Tensor x, Weight w, Tensor dy, Tensor dx, boolean add) {
        ops.linearWeightGrad(x, dy, matrix(w.id()));
        ops.linearInputGrad(dy, w, dx, add);
    }

    @Override
    public final void norm(WeightId id, Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx) {
        ops.rmsNormBackward(x, weight, rstd, dy, residual, dx, normWeight(id));
    }

    @Override
    public final void embedding(int[] tokens, Tensor dOut, float scale) {
        ops.embedBackward(
                tokens,
                dOut,
                scale,
                matrix(WeightId.EMBEDDING).blocks().getFirst().matrix());
    }
}
