// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.ArrayArena;
import io.telechat.core.tensor.ArrayStorage;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J arrays throughout; weights are copied into them as F32, because ND4J has no fast product of narrower types. */
final class Nd4jBackend implements Backend {
    /** Rows that are copied to ND4J at a time. */
    private static final int COPY_ROWS = 1024;

    private final WorkerTeam workers;
    private final Nd4jOps ops = new Nd4jOps();
    private final Nd4jGradOps gradOps = new Nd4jGradOps(ops);

    Nd4jBackend(int threads) {
        this.workers = new WorkerTeam(threads);
    }

    @Override
    public String name() {
        return Nd4jBackendProvider.NAME;
    }

    @Override
    public String description() {
        return "ND4J on " + Nd4j.getBackend().getClass().getSimpleName();
    }

    @Override
    public Ops ops() {
        return ops;
    }

    @Override
    public GradOps gradOps() {
        return gradOps;
    }

    @Override
    public Tensor copy(Tensor stored, TensorArena arena) {
        return place(stored, arena);
    }

    @Override
    public WorkerTeam workers() {
        return workers;
    }

    @Override
    public Optional<MachineLimits> measureLimits() {
        return Optional.empty();
    }

    @Override
    public TensorArena newArena() {
        return new ArrayArena();
    }

    @Override
    public Weight place(Weight weight, TensorArena arena) {
        Tensor whole = arena.allocate(DType.F32, weight.outFeatures(), weight.inFeatures());
        long row = 0;
        for (Tensor block : weight.blocks()) {
            fill(block, whole.rows(row, row + block.rows()));
            row += block.rows();
        }
        return new Weight(List.of(whole), weight.bias().map(bias -> place(bias, arena)));
    }

    @Override
    public long placedBytes(DType stored, Shape shape) {
        return DType.F32.bytes(shape);
    }

    @Override
    public Tensor place(Tensor tensor, TensorArena arena) {
        Tensor copy = arena.allocate(DType.F32, tensor.shape().toArray());
        fill(tensor, copy);
        return copy;
    }

    private static void fill(Tensor from, Tensor to) {
        for (long row = 0; row < from.rows(); row += COPY_ROWS) {
            Tensor part = from.rows(row, Math.min(from.rows(), row + COPY_ROWS));
            INDArray target = to.rows(row, row + part.rows()).array();
            float[] values = part.dtype().isQuantized() ? FloatRows.of(part) : part.toFloats();
            target.assign(Nd4j.createFromArray(values).reshape(target.shape()));
        }
    }

    @Override
    public Tensor toHost(Tensor tensor) {
        if (!(tensor.storage() instanceof ArrayStorage)) {
            return tensor;
        }
        float[] values = tensor.array().dup('c').data().asFloat();
        Shape shape = tensor.shape();
        // The garbage collector frees it: the caller holds no arena, and these are a few rows of logits.
        return Tensor.over(Arena.ofAuto().allocate(4L * values.length, 64), DType.F32, shape.toArray())
                .setFloats(values);
    }

    @Override
    public boolean computesWith(DType dtype) {
        return dtype == DType.F32;
    }

    @Override
    public void write(Tensor from, Tensor to) {
        if (to.isOnHost()) {
            to.segment().copyFrom(from.segment());
        } else {
            to.array().assign(from.array());
        }
    }

    @Override
    public void close() {
        workers.close();
    }
}
