// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Measures calls, time and bytes per formula, and stops at the first result in host memory that is not a finite number. A
 * decorator, so that profiling costs no line in the model.
 */
public final class TracingOps extends ForwardingOps {
    private final Map<String, Cost> costs = new TreeMap<>();

    public TracingOps(Ops ops) {
        super(ops);
    }

    /** What one formula cost so far. */
    public record Cost(long calls, long nanos, long bytes) {
        private Cost plus(Cost other) {
            return new Cost(calls + other.calls, nanos + other.nanos, bytes + other.bytes);
        }
    }

    public Map<String, Cost> costs() {
        return Map.copyOf(costs);
    }

    /** A table of the costs, dearest first. */
    public String report() {
        return costs.entrySet().stream()
                .sorted(Comparator.comparingLong(e -> -e.getValue().nanos()))
                .map(e -> "%-10s %8d calls %10.3f ms %8.2f GB/s"
                        .formatted(
                                e.getKey(),
                                e.getValue().calls(),
                                e.getValue().nanos() / 1e6,
                                (double) e.getValue().bytes()
                                        / Math.max(1, e.getValue().nanos())))
                .collect(Collectors.joining("\n"));
    }

    private void trace(String formula, long bytes, Tensor result, Runnable call) {
        long start = System.nanoTime();
        call.run();
        costs.merge(formula, new Cost(1, System.nanoTime() - start, bytes), Cost::plus);
        checkFinite(formula, result);
    }

    private static void checkFinite(String formula, Tensor result) {
        if (result.dtype() != DType.F32 || !result.isOnHost()) {
            return;
        }
        float[] values = result.toFloats();
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new ArithmeticException("%s gave %s at row %d, column %d of %s"
                        .formatted(formula, values[i], i / result.columns(), i % result.columns(), result));
            }
        }
    }

    @Override
    public void embed(int[] tokens, Weight table, float scale, Tensor out) {
        trace("embed", 2 * out.bytes(), out, () -> super.embed(tokens, table, scale, out));
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor rstd) {
        trace("rmsNorm", x.bytes() + y.bytes(), y, () -> super.rmsNorm(x, weight, eps, y, rstd));
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        trace("linear", w.bytes() + x.bytes() + y.bytes(), y, () -> super.linear(x, w, y));
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        long bytes = w.bytes() + x.bytes() + residual.bytes() + y.bytes();
        trace("linearAdd", bytes, y, () -> super.linearAdd(x, w, residual, y));
    }

    @Override
    public void headNorm(
            Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor y, Tensor rstd) {
        trace("headNorm", 2 * x.bytes(), y, () -> super.headNorm(x, heads, queryNorm, keyNorm, eps, y, rstd));
    }

    @Override
    public void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        trace("rope", 2 * qkv.bytes(), qkv, () -> super.rope(qkv, heads, batch));
    }

    @Override
    public void turnKeys(KvCache cache, RopeTable from, RopeTable to) {
        long bytes = cache.length() * cache.layout().bytesPerPosition();
        long start = System.nanoTime();
        super.turnKeys(cache, from, to);
        costs.merge("turnKeys", new Cost(1, System.nanoTime() - start, bytes), Cost::plus);
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        long keysValues = batch.spans().stream()
                .mapToLong(span -> keysValues(span, heads))
                .sum();
        trace(
                "attention",
                qkv.bytes() + out.bytes() + keysValues,
                out,
                () -> super.attention(qkv, heads, batch, layer, out, lse));
    }

    /** Bytes of a layer's keys and values that a span reads. */
    private static long keysValues(Batch.Span span, HeadLayout heads) {
        if (!span.isCached()) {
            return 2L * span.count() * heads.kvWidth() * Float.BYTES;
        }
        KvLayout layout = span.cache().layout();
        return (span.cache().length() + span.count()) * layout.bytesPerPosition() / layout.layers();
    }

    @Override
    public void swiGlu(Tensor gateUp, Tensor out) {
        trace("swiGlu", gateUp.bytes() + out.bytes(), out, () -> super.swiGlu(gateUp, out));
    }

    @Override
    public void selectRows(Tensor x, int[] rows, Tensor out) {
        trace("selectRows", 2 * out.bytes(), out, () -> super.selectRows(x, rows, out));
    }

    @Override
    public void copyColumns(Tensor from, int first, Tensor to, int at, int count) {
        long bytes = 2L * Float.BYTES * count * to.rows();
        trace("copyColumns", bytes, to, () -> super.copyColumns(from, first, to, at, count));
    }

    @Override
    public void scale(Tensor x, float factor) {
        trace("scale", 2 * x.bytes(), x, () -> super.scale(x, factor));
    }
}
