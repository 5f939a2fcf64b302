// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;

/** Every parameter is trained. */
public final class FullGradients implements Gradients {
    private final GradOps ops;
    private final TrainableParameters parameters;

    public FullGradients(GradOps ops, TrainableParameters parameters) {
        this.ops = ops;
        this.parameters = parameters;
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor dy, Tensor dx, boolean add) {
        ops.linearWeightGrad(x, dy, parameters.gradientOf(w));
        ops.linearInputGrad(dy, w, dx, add);
    }

    @Override
    public void norm(Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx) {
        ops.rmsNormBackward(x, weight, rstd, dy, residual, dx, parameters.gradientOf(weight));
    }

    @Override
    public void embedding(int[] tokens, Tensor dOut, float scale) {
        Weight gradient = parameters.gradientOf(parameters.embedding());
        ops.embedBackward(tokens, dOut, scale, gradient.blocks().getFirst());
    }
}
