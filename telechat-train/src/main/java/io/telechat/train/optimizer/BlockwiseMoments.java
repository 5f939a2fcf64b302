// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Running means in 8 bits (Dettmers et al. 2022, arXiv:2110.02861): they are float32 only while they are updated, a stretch of
 * the tensor at a time. Elements do not depend on each other across blocks, so neither stretches nor threads show in the
 * result.
 */
final class BlockwiseMoments implements Moments {
    /** Elements that a task decodes or encodes: whole blocks. */
    private static final int TASK = 64 * BlockwiseTensor.BLOCK;

    private static final int TASKS_PER_WORKER = 4;

    private final BlockwiseTensor mean;
    private final BlockwiseTensor square;
    private final Stretch stretch;

    /**
     * Room for a stretch of both means in float32, which all tensors share.
     *
     * @param mean F32 [elements], in the backend's memory
     * @param square likewise
     * @param decodedMean where it is decoded: itself, or a tensor in host memory
     * @param decodedSquare likewise
     */
    record Stretch(Backend backend, Tensor mean, Tensor square, Tensor decodedMean, Tensor decodedSquare) {
        static Stretch allocate(Backend backend, TensorArena arena, HostArena host) {
            long elements = (long) TASKS_PER_WORKER * TASK * backend.workers().size();
            Tensor mean = arena.allocate(DType.F32, elements);
            Tensor square = arena.allocate(DType.F32, elements);
            return mean.isOnHost()
                    ? new Stretch(backend, mean, square, mean, square)
                    : new Stretch(
                            backend,
                            mean,
                            square,
                            host.allocate(DType.F32, elements),
                            host.allocate(DType.F32, elements));
        }

        /** Its first elements. */
        Stretch first(long count) {
            return new Stretch(
                    backend,
                    mean.rows(0, count),
                    square.rows(0, count),
                    decodedMean.rows(0, count),
                    decodedSquare.rows(0, count));
        }
    }

    BlockwiseMoments(Shape shape, Stretch stretch, HostArena host) {
        this.mean = BlockwiseTensor.zeros(DynamicCode.SIGNED, shape, host);
        this.square = BlockwiseTensor.zeros(DynamicCode.UNSIGNED, shape, host);
        this.stretch = stretch;
    }

    @Override
    public void update(Trained parameter, AdamWStep step) {
        long elements = parameter.value().shape().elements();
        Tensor value = parameter.value().reshape(elements);
        Tensor gradient = parameter.gradient().reshape(elements);
        long room = stretch.mean().rows();
        for (long from = 0; from < elements; from += room) {
            long count = Math.min(room, elements - from);
            Stretch part = stretch.first(count);
            decode(from, part);
            part.backend()
                    .gradOps()
                    .adamW(
                            value.rows(from, from + count),
                            gradient.rows(from, from + count),
                            part.mean(),
                            part.square(),
                            step);
            encode(from, part);
        }
    }

    private void decode(long from, Stretch part) {
        inTasks(part, (at, count) -> {
            mean.decode(
                    from + at, count, part.decodedMean().rows(at, at + count).segment());
            square.decode(
                    from + at, count, part.decodedSquare().rows(at, at + count).segment());
        });
        if (!part.mean().isOnHost()) {
            part.backend().write(part.decodedMean(), part.mean());
            part.backend().write(part.decodedSquare(), part.square());
        }
    }

    private void encode(long from, Stretch part) {
        Tensor newMean = part.backend().toHost(part.mean());
        Tensor newSquare = part.backend().toHost(part.square());
        inTasks(part, (at, count) -> {
            mean.encode(from + at, count, newMean.rows(at, at + count).segment());
            square.encode(from + at, count, newSquare.rows(at, at + count).segment());
        });
    }

    private static void inTasks(Stretch part, WorkerTeam.RangeTask task) {
        part.backend().workers().runRanges(part.mean().rows(), TASK, task);
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
