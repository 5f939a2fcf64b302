// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.architecture.ModelPart;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.comm.Communicator;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.ForwardingOps;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;

/**
 * Operations of one part of a model that is cut. What leads into a sub-layer is computed for this part's heads, or columns,
 * alone; what leads back to the residual stream is added up over the parts, once for each sub-layer. So the residual stream is
 * whole, and of the same bits, in every part, and so are logits.
 *
 * <p>All parts make the same calls. Goes around everything that works on weights, adapters included.
 */
public final class TensorParallelOps extends ForwardingOps implements AutoCloseable {
    private final ModelPart part;
    private final Communicator ranks;
    private final DeviceMemory memory;
    private TensorArena arena;
    private Tensor gathered;

    /**
     * @param ops of this part's backend, or a decorator of them
     * @param memory that they work in
     */
    public TensorParallelOps(Ops ops, DeviceMemory memory, ModelPart part, Communicator ranks) {
        super(ops);
        this.memory = memory;
        this.part = part;
        this.ranks = ranks;
        this.arena = memory.newArena();
        this.gathered = arena.allocate(DType.F32, 0);
    }

    /** Each token's row lies in one part; the others add zeros. */
    @Override
    public void embed(int[] tokens, Weight table, float scale, Tensor out) {
        switch (table.id().part()) {
            case EMBEDDING -> {
                ModelPart.Range own = part.vocabulary();
                int[] rows = new int[tokens.length];
                boolean[] foreign = new boolean[tokens.length];
                for (int i = 0; i < rows.length; i++) {
                    foreign[i] = !own.contains(tokens[i]);
                    rows[i] = foreign[i] ? 0 : tokens[i] - own.from();
                }
                delegate().embed(rows, table, scale, out);
                delegate().clearRows(out, foreign);
                ranks.allReduceNow(out);
            }
            default -> delegate().embed(tokens, table, scale, out);
        }
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        delegate().attention(qkv, heads, batch, layer, out, lse);
        if (!part.ownsHeads()) {
            out.clear(); // another part answers for this head
        }
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        switch (w.id().part()) {
            case EMBEDDING, HEAD -> vocabulary(x, w, y);
            default -> delegate().linear(x, w, y);
        }
    }

    /** The first part adds the residual, and the bias, which is in no other part's weight. */
    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        if (part.index() == 0) {
            delegate().linearAdd(x, w, residual, y);
        } else {
            delegate().linear(x, w, y);
        }
        ranks.allReduceNow(y);
    }

    /** Every part computes its columns of {@code y}, and all parts get all of them. */
    private void vocabulary(Tensor x, Weight w, Tensor y) {
        int rows = (int) x.rows();
        long stride = 0;
        for (int p = 0; p < part.count(); p++) {
            stride = Math.max(stride, (long) rows * part.vocabulary(p).size());
        }
        Tensor all = gathered(stride * part.count());
        Tensor own = all.rows(part.index() * stride, (part.index() + 1) * stride);
        int width = part.vocabulary().size();
        delegate().linear(x, w, own.rows(0, (long) rows * width).reshape(rows, width));
        ranks.allGatherNow(own, all);
        for (int p = 0; p < part.count(); p++) {
            ModelPart.Range columns = part.vocabulary(p);
            Tensor theirs = all.rows(p * stride, p * stride + (long) rows * columns.size());
            delegate().copyColumns(theirs.reshape(rows, columns.size()), 0, y, columns.from(), columns.size());
        }
    }

    private Tensor gathered(long size) {
        if (gathered.rows() < size) {
            arena.close();
            arena = memory.newArena();
            gathered = arena.allocate(DType.F32, size);
        }
        return gathered.rows(0, size);
    }

    @Override
    public void close() {
        arena.close();
    }
}
