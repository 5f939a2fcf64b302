// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Running means in float32.
 *
 * @param mean F32 of the parameter's shape
 * @param square likewise
 */
record FloatMoments(GradOps ops, Tensor mean, Tensor square) implements Moments {
    static final List<MomentKind> KINDS = List.of(MomentKind.floats("mean"), MomentKind.floats("square"));

    static FloatMoments zeros(GradOps ops, Shape shape, TensorArena arena) {
        return new FloatMoments(
                ops, arena.allocate(DType.F32, shape.toArray()), arena.allocate(DType.F32, shape.toArray()));
    }

    @Override
    public void update(Trained parameter, AdamWStep step) {
        ops.adamW(parameter.value(), parameter.gradient(), mean, square, step);
    }

    @Override
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("mean", mean);
        tensors.put("square", square);
        return tensors;
    }
}
