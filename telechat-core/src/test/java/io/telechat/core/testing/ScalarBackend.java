// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalDouble;

/** The formulas as their definitions read, in plain loops and double: what the backends are tested against. */
public final class ScalarBackend implements Backend, DeviceMemory, Ops {
    private final WorkerTeam workers = new WorkerTeam(1);
    private final GradOps gradOps = new ScalarGradOps();

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public String description() {
        return "plain loops";
    }

    @Override
    public Ops ops() {
        return this;
    }

    @Override
    public GradOps gradOps() {
        return gradOps;
    }

    @Override
    public DeviceMemory memory() {
        return this;
    }

    @Override
    public Tensor copy(Tensor stored, TensorArena arena) {
        return arena.allocate(DType.F32, stored.shape().toArray())
                .setFloats(stored.dtype().isQuantized() ? FloatRows.of(stored) : stored.toFloats());
    }

    @Override
    public WorkerTeam workers() {
        return workers;
    }

    @Override
    public OptionalDouble measureFlops() {
        return OptionalDouble.empty();
    }

    @Override
    public Optional<MachineLimits> measureLimits() {
        return Optional.empty();
    }

    @Override
    public TensorArena newArena() {
        return new HostArena();
    }

    @Override
    public Weight place(Weight weight, TensorArena arena) {
        return new Weight(
                weight.id(),
                weight.blocks().stream()
                        .map(b -> new Weight.Block(floats(b.matrix()), b.bias()))
                        .toList());
    }

    private static Tensor floats(Tensor block) {
        if (!block.dtype().isQuantized()) {
            return block;
        }
        MemorySegment copy = Arena.ofAuto().allocate(4 * block.shape().elements(), 4);
        return Tensor.over(copy, DType.F32, block.rows(), block.columns()).setFloats(FloatRows.of(block));
    }

    @Override
    public long placedBytes(DType stored, Shape shape) {
        return stored.bytes(shape);
    }

    @Override
    public Tensor place(Tensor tensor, TensorArena arena) {
        return tensor;
    }

    @Override
    public Tensor toHost(Tensor tensor) {
        return tensor;
    }

    @Override
    public boolean computesWith(DType dtype) {
        return dtype.isFloat();
    }

    @Override
    public void write(Tensor from, Tensor to) {
        to.segment().copyFrom(from.segment());
    }

    @Override
    public void close() {
        workers.close();
    }

    @Override
    public void embed(int[] tokens, Weight table, float scale, Tensor out) {
        long width = table.inFeatures();
        for (int t = 0; t < tokens.length; t++) {
            for (long i = 0; i < width; i++) {
                out.setFloat(
                        t * width + i,
                        scale * table.blocks().getFirst().matrix().getFloat(tokens[t] * width + i));
            }
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor rstd) {
        long width = x.columns();
        for (long t = 0; t < x.rows(); t++) {
            double squares = 0;
            for (long i = 0; i < width; i++) {
                squares += Math.pow(x.getFloat(t * width + i), 2);
            }
            double scale = 1 / Math.sqrt(squares / width + eps);
            rstd.setFloat(t, (float) scale);
            for (long i = 0; i < width; i++) {
                y.setFloat(t * width + i, (float) (x.getFloat(t * width + i) * scale * weight.getFloat(i)));
            }
        }
    }

    @Override
    public void linear(Tensor x, Weight w, Tensor y) {
        product(x, w, y, (t, o) -> 0);
    }

    @Override
    public void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y) {
        product(x, w, y, (t, o) -> residual.getFloat(t * y.columns() + o));
    }

    private interface Start {
        double at(long row, long column);
    }

    private static void product(Tensor x, Weight w, Tensor y, Start start) {
        for (long t = 0; t < x.rows(); t++) {
            long column = 0;
            for (Weight.Block block : w.blocks()) {
                for (long r = 0; r < block.rows(); r++, column++) {
                    double sum = start.at(t, column)
                            + (block.bias().isPresent() ? block.bias().get().getFloat(r) : 0);
                    for (long i = 0; i < x.columns(); i++) {
                        sum += (double) x.getFloat(t * x.columns() + i)
                                * block.matrix().getFloat(r * x.columns() + i);
                    }
                    y.setFloat(t * y.columns() + column, (float) sum);
                }
            }
        }
    }

    @Override
    public void headNorm(
            Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor y, Tensor rstd) {
        int width = heads.headDim();
        for (int t = 0; t < x.rows(); t++) {
            for (int head = 0; head < heads.heads() + 2 * heads.kvHeads(); head++) {
                long at = (long) t * heads.qkvWidth() + (long) head * width;
                boolean isQuery = head < heads.heads();
                int key = head - heads.heads();
                double squares = 0;
                for (int i = 0; i < width; i++) {
                    squares += (double) x.getFloat(at + i) * x.getFloat(at + i);
                }
                double scale = 1 / Math.sqrt(squares / width + eps);
                for (int i = 0; i < width; i++) {
                    double factor = key >= heads.kvHeads() ? 1 : scale * (isQuery ? queryNorm : keyNorm).getFloat(i);
                    y.setFloat(at + i, (float) (x.getFloat(at + i) * factor));
                }
                if (isQuery) {
                    rstd.setFloat((long) t * heads.heads() + head, (float) scale);
                } else if (key < heads.kvHeads()) {
                    rstd.setFloat(x.rows() * heads.heads() + (long) t * heads.kvHeads() + key, (float) scale);
                }
            }
        }
    }

    @Override
    public void rope(Tensor qkv, HeadLayout heads, Batch batch) {
        int half = heads.headDim() / 2;
        for (Batch.Span span : batch.spans()) {
            for (int t = 0; t < span.count(); t++) {
                for (int head = 0; head < heads.heads() + heads.kvHeads(); head++) {
                    for (int i = 0; i < half; i++) {
                        long a = (long) (span.first() + t) * heads.qkvWidth() + (long) head * heads.headDim() + i;
                        turn(
                                qkv,
                                a,
                                a + half,
                                span.rope().cos()[t * half + i],
                                span.rope().sin()[t * half + i]);
                    }
                }
                for (int i = 0; i < heads.queryWidth(); i++) {
                    long at = (long) (span.first() + t) * heads.qkvWidth() + i;
                    qkv.setFloat(at, qkv.getFloat(at) * span.rope().queryFactor(t));
                }
            }
        }
    }

    private static void turn(Tensor x, long first, long second, double cos, double sin) {
        double a = x.getFloat(first);
        double b = x.getFloat(second);
        x.setFloat(first, (float) (a * cos - b * sin));
        x.setFloat(second, (float) (b * cos + a * sin));
    }

    @Override
    public void turnKeys(KvCache cache, RopeTable from, RopeTable to) {
        int half = from.half();
        Tensor key = Tensor.over(MemorySegment.ofArray(new float[2 * half]), DType.F32, 2L * half);
        for (int p = 0; p < cache.length(); p++) {
            for (int layer = 0; layer < cache.layout().layers(); layer++) {
                for (int head = 0; head < cache.layout().heads().kvHeads(); head++) {
                    ScalarCache cached = new ScalarCache(cache, layer, head);
                    for (int d = 0; d < 2 * half; d++) {
                        key.setFloat(d, cached.key(p, d));
                    }
                    for (int i = 0; i < half; i++) {
                        turn(key, i, i + half, from.cos()[p * half + i], -from.sin()[p * half + i]);
                        turn(key, i, i + half, to.cos()[p * half + i], to.sin()[p * half + i]);
                    }
                    cached.putKey(p, key.toFloats());
                }
            }
        }
    }

    @Override
    public void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse) {
        for (Batch.Span span : batch.spans()) {
            for (int t = 0; span.isCached() && t < span.count(); t++) {
                store(qkv, heads, span, layer, t);
            }
            for (int t = 0; t < span.count(); t++) {
                for (int head = 0; head < heads.heads(); head++) {
                    attend(qkv, heads, span, layer, t, head, out, lse);
                }
            }
        }
    }

    private static void store(Tensor qkv, HeadLayout heads, Batch.Span span, int layer, int t) {
        int dim = heads.headDim();
        int position = span.cache().length() + t;
        for (int head = 0; head < heads.kvHeads(); head++) {
            float[] key = new float[dim];
            float[] value = new float[dim];
            for (int d = 0; d < dim; d++) {
                key[d] = (float) ScalarGradOps.at(qkv, span.first() + t, (heads.heads() + head) * dim + d);
                value[d] = (float)
                        ScalarGradOps.at(qkv, span.first() + t, (heads.heads() + heads.kvHeads() + head) * dim + d);
            }
            ScalarCache cached = new ScalarCache(span.cache(), layer, head);
            cached.putKey(position, key);
            cached.putValue(position, value);
        }
    }

    private static double key(
            Tensor qkv, HeadLayout heads, Batch.Span span, int layer, int kvHead, int position, int d) {
        return span.isCached()
                ? new ScalarCache(span.cache(), layer, kvHead).key(position, d)
                : ScalarGradOps.at(qkv, span.first() + position, (heads.heads() + kvHead) * heads.headDim() + d);
    }

    private static double value(
            Tensor qkv, HeadLayout heads, Batch.Span span, int layer, int kvHead, int position, int d) {
        int head = heads.heads() + heads.kvHeads() + kvHead;
        return span.isCached()
                ? new ScalarCache(span.cache(), layer, kvHead).value(position, d)
                : ScalarGradOps.at(qkv, span.first() + position, head * heads.headDim() + d);
    }

    private static void attend(
            Tensor qkv, HeadLayout heads, Batch.Span span, int layer, int t, int head, Tensor out, Tensor lse) {
        int dim = heads.headDim();
        int kvHead = head / heads.groupSize();
        int seen = (span.isCached() ? span.cache().length() : 0) + t + 1;
        double[] scores = new double[seen];
        double max = Double.NEGATIVE_INFINITY;
        for (int p = 0; p < seen; p++) {
            for (int d = 0; d < dim; d++) {
                double q = qkv.getFloat((long) (span.first() + t) * heads.qkvWidth() + (long) head * dim + d);
                scores[p] += q * key(qkv, heads, span, layer, kvHead, p, d);
            }
            scores[p] /= Math.sqrt(dim);
            max = Math.max(max, scores[p]);
        }
        double sum = 0;
        for (int p = 0; p < seen; p++) {
            scores[p] = Math.exp(scores[p] - max);
            sum += scores[p];
        }
        for (int d = 0; d < dim; d++) {
            double value = 0;
            for (int p = 0; p < seen; p++) {
                value += scores[p] / sum * value(qkv, heads, span, layer, kvHead, p, d);
            }
            out.setFloat((long) (span.first() + t) * heads.queryWidth() + (long) head * dim + d, (float) value);
        }
        lse.setFloat((long) (span.first() + t) * heads.heads() + head, (float) (max + Math.log(sum)));
    }

    @Override
    public void swiGlu(Tensor gateUp, Tensor out) {
        long width = out.columns();
        for (long t = 0; t < out.rows(); t++) {
            for (long i = 0; i < width; i++) {
                double gate = gateUp.getFloat(2 * t * width + i);
                double up = gateUp.getFloat(2 * t * width + width + i);
                out.setFloat(t * width + i, (float) (gate / (1 + Math.exp(-gate)) * up));
            }
        }
    }

    @Override
    public void selectRows(Tensor x, int[] rows, Tensor out) {
        for (int i = 0; i < rows.length; i++) {
            for (int column = 0; column < x.columns(); column++) {
                out.setFloat(i * x.columns() + column, x.getFloat(rows[i] * x.columns() + column));
            }
        }
    }

    @Override
    public void copyColumns(Tensor from, int first, Tensor to, int at, int count) {
        for (long row = 0; row < from.rows(); row++) {
            for (int i = 0; i < count; i++) {
                to.setFloat(row * to.columns() + at + i, from.getFloat(row * from.columns() + first + i));
            }
        }
    }

    @Override
    public void clearRows(Tensor x, boolean[] which) {
        for (long i = 0; i < x.shape().elements(); i++) {
            if (which[(int) (i / x.columns())]) {
                x.setFloat(i, 0);
            }
        }
    }

    @Override
    public void scale(Tensor x, float factor) {
        for (long i = 0; i < x.shape().elements(); i++) {
            x.setFloat(i, x.getFloat(i) * factor);
        }
    }
}
