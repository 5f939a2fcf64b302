// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.architecture.ModelPart;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.comm.Communicator;
import io.telechat.core.model.Gradients;
import io.telechat.core.model.Section;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.stream.IntStream;

/**
 * The way back through {@link TensorParallelOps}. A part gathers the gradients of its share of the weights, and all those of the
 * norms; gradients of the residual stream are whole, and the same, in every part.
 */
public final class TensorParallelGradients implements Gradients {
    private final Gradients gradients;
    private final Ops ops;
    private final DeviceMemory memory;
    private final ModelPart part;
    private final Communicator ranks;

    /**
     * @param gradients of this part's weights
     * @param ops of its backend
     * @param memory that they work in
     * @throws IllegalArgumentException if several parts hold the same key/value head, or all parts the same norm of heads, whose
     *     gradient none has whole
     */
    public TensorParallelGradients(
            Gradients gradients, Ops ops, DeviceMemory memory, ModelPart part, Communicator ranks) {
        if (part.count() > part.whole().heads().kvHeads()) {
            throw new IllegalArgumentException("%d parts of a model with %d key/value heads cannot be trained"
                    .formatted(part.count(), part.whole().heads().kvHeads()));
        }
        if (part.isCut() && part.whole().headNorm()) {
            throw new IllegalArgumentException("parts of a model with norms of heads cannot be trained");
        }
        this.gradients = gradients;
        this.ops = ops;
        this.memory = memory;
        this.part = part;
        this.ranks = ranks;
    }

    @Override
    public void begin(Section section) {
        gradients.begin(section);
    }

    @Override
    public void end(Section section) {
        gradients.end(section);
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor dy, Tensor dx, boolean add) {
        switch (w.id().part()) {
            case QKV, GATE_UP -> addUp(x, w, dy, dx, add);
            case EMBEDDING, HEAD -> {
                try (TensorArena arena = memory.newArena()) {
                    addUp(x, w, own(dy, arena), dx, add);
                }
            }
            default -> gradients.linear(x, w, dy, dx, add);
        }
    }

    /** Each part has some of the rows that {@code dy} is multiplied with; the first one adds to what is there. */
    private void addUp(Tensor x, Weight w, Tensor dy, Tensor dx, boolean add) {
        gradients.linear(x, w, dy, dx, add && part.index() == 0);
        ranks.allReduceNow(dx);
    }

    /** This part's columns of the gradient of logits. */
    private Tensor own(Tensor dy, TensorArena arena) {
        ModelPart.Range columns = part.vocabulary();
        Tensor cut = arena.allocate(DType.F32, dy.rows(), columns.size());
        ops.copyColumns(dy, columns.from(), cut, 0, columns.size());
        return cut;
    }

    @Override
    public void norm(WeightId id, Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx) {
        gradients.norm(id, x, weight, rstd, dy, residual, dx);
    }

    /** Of the tokens whose rows this part holds. */
    @Override
    public void embedding(int[] tokens, Tensor dOut, float scale) {
        ModelPart.Range own = part.vocabulary();
        int[] chosen = IntStream.range(0, tokens.length)
                .filter(i -> own.contains(tokens[i]))
                .toArray();
        try (TensorArena arena = memory.newArena()) {
            Tensor rows = arena.allocate(DType.F32, chosen.length, dOut.columns());
            int[] ids = IntStream.of(chosen).map(i -> tokens[i] - own.from()).toArray();
            if (chosen.length > 0) {
                ops.embed(chosen, Weight.of(dOut), 1, rows);
            }
            gradients.embedding(ids, rows, scale);
        }
    }
}
