// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.ForwardingOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.Optional;

/** Adds adapters to the products of linear layers. A decorator: neither the model nor a backend knows of adapters. */
public final class LoraOps extends ForwardingOps implements AutoCloseable {
    private final LoraAdapters adapters;
    private final LoraDropout dropout;
    private final Scratch between;

    /** @param dropout of what the adapters are given */
    public LoraOps(Ops ops, LoraAdapters adapters, LoraDropout dropout, Backend backend) {
        super(ops);
        this.adapters = adapters;
        this.dropout = dropout;
        this.between = new Scratch(backend);
    }

    /** Memory for what is between two formulas; grows as it is needed. */
    static final class Scratch implements AutoCloseable {
        private final Backend backend;
        private TensorArena arena;
        private Tensor memory;

        Scratch(Backend backend) {
            this.backend = backend;
        }

        Tensor of(long rows, long width) {
            if (memory == null || memory.rows() < rows * width) {
                close();
                arena = backend.memory().newArena();
                memory = arena.allocate(DType.F32, rows * width);
            }
            return memory.rows(0, rows * width).reshape(rows, width);
        }

        long bytes() {
            return memory == null ? 0 : memory.bytes();
        }

        @Override
        public void close() {
            if (arena != null) {
                arena.close();
            }
        }
    }

    /** What it has allocated. */
    long bytes() {
        return between.bytes();
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        super.linear(x, w, y);
        addAdapter(x, w, y);
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        super.linearAdd(x, w, residual, y);
        addAdapter(x, w, y);
    }

    private void addAdapter(Tensor x, Weight w, Tensor y) {
        Optional<LoraWeight> found = adapters.of(w);
        if (found.isPresent()) {
            LoraWeight adapter = found.get();
            Tensor t = between.of(x.rows(), adapter.width());
            for (int part = 0; part < dropout.parts(adapter); part++) {
                dropout.down(delegate(), adapter, part, dropout.given(adapter, part, x), t);
            }
            delegate().scale(t, adapter.scale());
            delegate().linearAdd(t, adapter.upWeight(), y, y);
        }
    }

    @Override
    public void close() {
        between.close();
    }
}
