// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.ForwardingOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;

/**
 * Adds adapters to the products of linear layers: to the rows of each span of a batch those that it names (as in Chen et al. 2023,
 * arXiv:2310.18547, Punica). A decorator: neither the model nor a backend knows of adapters.
 */
public final class LoraOps extends ForwardingOps implements AutoCloseable {
    private final List<LoraAdapters> adapters;
    private final LoraDropout dropout;
    private final Scratch between;

    /** Rows of the batch at hand by their adapters; empty while there is no batch, and all rows have the first. */
    private List<Rows> rows = List.of();

    /** One adapter for all rows, with dropout of what it is given. */
    public LoraOps(Ops ops, LoraAdapters adapters, LoraDropout dropout, Backend backend) {
        this(ops, List.of(adapters), dropout, backend);
    }

    /** @param adapters that the spans of batches name by their places */
    public LoraOps(Ops ops, List<LoraAdapters> adapters, LoraDropout dropout, Backend backend) {
        super(ops);
        this.adapters = List.copyOf(adapters);
        this.dropout = dropout;
        this.between = new Scratch(backend);
    }

    /** Neighbouring rows with the same adapter. */
    private record Rows(int adapter, int first, int end) {}

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
    public void begin(Batch batch) {
        super.begin(batch);
        List<Rows> runs = new ArrayList<>();
        for (Batch.Span span : batch.spans()) {
            int end = span.first() + span.count();
            if (!runs.isEmpty() && runs.getLast().adapter() == span.adapter()) {
                runs.set(
                        runs.size() - 1, new Rows(span.adapter(), runs.getLast().first(), end));
            } else {
                runs.add(new Rows(span.adapter(), span.first(), end));
            }
        }
        rows = runs;
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
        if (rows.isEmpty()) {
            adapters.getFirst().of(w).ifPresent(adapter -> add(adapter, x, y));
        }
        for (Rows run : rows) {
            if (run.adapter() >= 0 && run.adapter() < adapters.size()) {
                adapters.get(run.adapter())
                        .of(w)
                        .ifPresent(adapter ->
                                add(adapter, x.rows(run.first(), run.end()), y.rows(run.first(), run.end())));
            }
        }
    }

    private void add(LoraWeight adapter, Tensor x, Tensor y) {
        Tensor t = between.of(x.rows(), adapter.width());
        for (int part = 0; part < dropout.parts(adapter); part++) {
            dropout.down(delegate(), adapter, part, dropout.given(adapter, part, x), t);
        }
        delegate().scale(t, adapter.scale());
        delegate().linearAdd(t, adapter.upWeight(), y, y);
    }

    @Override
    public void close() {
        between.close();
    }
}
