// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.Tensor;

/** Hands every formula on to another {@link Ops}: the base of decorators, which then name what they change and nothing else. */
public abstract class ForwardingOps implements Ops {
    private final Ops ops;

    protected ForwardingOps(Ops ops) {
        this.ops = ops;
    }

    /** What is decorated. */
    protected final Ops delegate() {
        return ops;
    }

    @Override
    public void begin(Batch batch) {
        ops.begin(batch);
    }

    @Override
    public void flush() {
        ops.flush();
    }

    @Override
    public void embed(int[] tokens, Weight table, float scale, Tensor out) {
        ops.embed(tokens, table, scale, out);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor rstd) {
        ops.rmsNorm(x, weight, eps, y, rstd);
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        ops.linear(x, w, y);
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        ops.linearAdd(x, w, residual, y);
    }

    @Override
    public void headNorm(
            Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor y, Tensor rstd) {
        ops.headNorm(x, heads, queryNorm, keyNorm, eps, y, rstd);
    }

    @Override
    public void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        ops.rope(qkv, heads, batch);
    }

    @Override
    public void turnKeys(KvCache cache, RopeTable from, RopeTable to) {
        ops.turnKeys(cache, from, to);
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        ops.attention(qkv, heads, batch, layer, out, lse);
    }

    @Override
    public void swiGlu(Tensor gateUp, Tensor out) {
        ops.swiGlu(gateUp, out);
    }

    @Override
    public void selectRows(Tensor x, int[] rows, Tensor out) {
        ops.selectRows(x, rows, out);
    }

    @Override
    public void copyColumns(Tensor from, int first, Tensor to, int at, int count) {
        ops.copyColumns(from, first, to, at, count);
    }

    @Override
    public void clearRows(Tensor x, boolean[] which) {
        ops.clearRows(x, which);
    }

    @Override
    public void scale(Tensor x, float factor) {
        ops.scale(x, factor);
    }
}
