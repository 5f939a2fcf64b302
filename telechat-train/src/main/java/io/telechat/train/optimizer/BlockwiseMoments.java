// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.core.ops.DynamicCode;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Running means in 8 bits (Dettmers et al. 2022, arXiv:2110.02861), see {@link GradOps#adamW8}.
 *
 * @param mean signed codes of the parameter's shape
 * @param square unsigned codes
 */
record BlockwiseMoments(GradOps ops, BlockwiseTensor mean, BlockwiseTensor square) implements Moments {
    static final List<MomentKind> KINDS = List.of(
            MomentKind.codes("mean"),
            MomentKind.scales("mean_scale"),
            MomentKind.codes("square"),
            MomentKind.scales("square_scale"));

    static BlockwiseMoments zeros(GradOps ops, Shape shape, TensorArena arena) {
        return new BlockwiseMoments(
                ops,
                BlockwiseTensor.zeros(DynamicCode.SIGNED, shape, arena),
                BlockwiseTensor.zeros(DynamicCode.UNSIGNED, shape, arena));
    }

    @Override
    public void update(Trained parameter, AdamWStep step) {
        ops.adamW8(parameter.value(), parameter.gradient(), mean, square, step);
    }

    @Override
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("mean", mean.codes());
        tensors.put("mean_scale", mean.scales());
        tensors.put("square", square.codes());
        tensors.put("square_scale", square.scales());
        return tensors;
    }
}
