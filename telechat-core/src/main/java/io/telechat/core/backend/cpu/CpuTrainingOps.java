// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.ForwardingOps;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** The forward formulas of training: products of large matrices, and attention within rows. The others are {@link CpuOps}'. */
final class CpuTrainingOps extends ForwardingOps {
    private final GradKernels kernels;
    private final MatrixProducts products;
    private final SpanAttention attention;

    CpuTrainingOps(CpuOps ops, GradKernels kernels, MatrixProducts products, SpanAttention attention) {
        super(ops);
        this.kernels = kernels;
        this.products = products;
        this.attention = attention;
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        Shapes.linear(x, w, y);
        boolean biased = w.hasBias();
        if (biased) {
            y.clear();
            addBias(w, y);
        }
        products.forward(x, w, y, biased);
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        Shapes.linearAdd(x, w, residual, y);
        if (residual.segment().address() != y.segment().address()) {
            MemorySegment.copy(residual.segment(), 0, y.segment(), 0, y.bytes());
        }
        addBias(w, y);
        products.forward(x, w, y, true);
    }

    private void addBias(Weight w, Tensor y) {
        long column = 0;
        for (Weight.Block block : w.blocks()) {
            if (block.bias().isPresent()) {
                MemorySegment bias = block.bias().get().segment();
                for (long row = 0; row < y.rows(); row++) {
                    MemorySegment to = y.segment().asSlice(4 * (row * y.columns() + column));
                    kernels.columnSums(bias, 0, 1, block.rows(), to);
                }
            }
            column += block.rows();
        }
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        if (batch.spans().stream().allMatch(Batch.Span::isCached)) {
            super.attention(qkv, heads, batch, layer, out, lse);
            return;
        }
        Shapes.attention(qkv, heads, batch, layer, out, lse);
        attention.forward(qkv, heads, batch, out, lse);
    }
}
