// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Rounding;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.Stream;
import java.util.List;

/** The backward formulas on a GPU. Nothing is added up in an order that could change: the same inputs give the same bits. */
final class CudaGradOps implements GradOps, AutoCloseable {
    /** Rows that a block of rms_norm_backward.cu adds up, of a norm and of a bias. */
    private static final int NORM_CHUNK = 16;

    private static final int BIAS_CHUNK = 64;

    private final CudaEngine engine;
    private final Stream stream;
    private final Kernels kernels;
    private final Precision precision;
    private final Scratch sums;
    private final AttentionGradient attention;
    private final OptimizerLaunches optimizer;

    CudaGradOps(CudaEngine engine, CudaMemory memory, Precision precision) {
        this.engine = engine;
        this.stream = engine.stream();
        this.kernels = engine.kernels();
        this.precision = precision;
        this.sums = new Scratch(stream);
        this.attention = new AttentionGradient(engine);
        this.optimizer = new OptimizerLaunches(engine, memory);
    }

    @Override
    public void embedBackward(int[] tokens, Tensor dOut, float scale, Tensor dTable) {
        Shapes.embed(tokens, Weight.of(dTable), dOut);
        TokenPlaces places = TokenPlaces.of(tokens);
        stream.launch(kernels.get("embed_backward", "embed_backward", "ppppfip"))
                .grid(places.tokens().length, Kernels.blocks(dOut.columns()), 1)
                .threads(Kernels.THREADS)
                .put(engine.uploads().put(places.tokens()))
                .put(engine.uploads().put(places.starts()))
                .put(engine.uploads().put(places.positions()))
                .put(DeviceStorage.address(dOut))
                .put(scale)
                .put((int) dOut.columns())
                .put(DeviceStorage.address(dTable))
                .run();
    }

    @Override
    public void rmsNormBackward(
            Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx, Tensor dWeight) {
        Shapes.rmsNormBackward(x, weight, rstd, dy, residual, dx, dWeight);
        int columns = (int) x.columns();
        int chunks = Math.ceilDiv((int) x.rows(), NORM_CHUNK);
        long partial = sums.of((long) chunks * columns * Float.BYTES);
        stream.launch(kernels.get("rms_norm_backward", "rms_norm_backward", "pppppiipp"))
                .grid(chunks)
                .threads(Kernels.THREADS)
                .shared(columns * Float.BYTES)
                .put(DeviceStorage.address(x))
                .put(DeviceStorage.address(weight))
                .put(DeviceStorage.address(rstd))
                .put(DeviceStorage.address(dy))
                .put(DeviceStorage.address(residual))
                .put((int) x.rows())
                .put(columns)
                .put(DeviceStorage.address(dx))
                .put(partial)
                .run();
        addColumnSums(partial, chunks, columns, dWeight);
    }

    private void addColumnSums(long partial, int chunks, int columns, Tensor to) {
        stream.launch(kernels.get("rms_norm_backward", "column_sums_add", "piip"))
                .grid(Kernels.blocks(columns))
                .threads(Kernels.THREADS)
                .put(partial)
                .put(chunks)
                .put(columns)
                .put(DeviceStorage.address(to))
                .run();
    }

    @Override
    public void linearInputGrad(Tensor dy, Weight w, Tensor dx, boolean add) {
        Shapes.linear(dx, w, dy);
        engine.products().inputGrad(dy, w, dx, add, precision);
    }

    @Override
    public void linearWeightGrad(Tensor x, Tensor dy, Weight dW) {
        Shapes.linearWeightGrad(x, dy, dW);
        engine.products().weightGrad(x, dy, dW, precision);
        long column = 0;
        for (Weight.Block block : dW.blocks()) {
            if (block.bias().isPresent()) {
                biasGrad(dy, column, block.bias().get());
            }
            column += block.rows();
        }
    }

    private void biasGrad(Tensor dy, long column, Tensor dBias) {
        int columns = (int) dBias.shape().elements();
        int chunks = Math.ceilDiv((int) dy.rows(), BIAS_CHUNK);
        long partial = sums.of((long) chunks * columns * Float.BYTES);
        stream.launch(kernels.get("rms_norm_backward", "column_sums_of_chunks", "pliip"))
                .grid(Kernels.blocks(columns), chunks, 1)
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(dy) + column * Float.BYTES)
                .put(dy.columns())
                .put((int) dy.rows())
                .put(columns)
                .put(partial)
                .run();
        addColumnSums(partial, chunks, columns, dBias);
    }

    @Override
    public void ropeBackward(Tensor dQkv, HeadLayout heads, Batch batch) {
        Shapes.rope(dQkv, heads, batch);
        CudaOps.turn(engine, dQkv, heads, batch, -1);
    }

    @Override
    public void attentionBackward(
            Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv) {
        Shapes.attentionBackward(qkv, out, lse, dOut, heads, batch, dQkv);
        attention.run(qkv, out, lse, dOut, heads, engine.tables(batch), dQkv, precision);
    }

    @Override
    public void swiGluBackward(Tensor gateUp, Tensor dOut, Tensor dGateUp) {
        Shapes.swiGluBackward(gateUp, dOut, dGateUp);
        long elements = dOut.shape().elements();
        stream.launch(kernels.get("swiglu_backward", "swi_glu_backward", "pplip"))
                .grid(Kernels.blocks(elements))
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(gateUp))
                .put(DeviceStorage.address(dOut))
                .put(elements)
                .put((int) dOut.columns())
                .put(DeviceStorage.address(dGateUp))
                .run();
    }

    @Override
    public void crossEntropy(Tensor logits, int[] targets, float[] weights, float scale, Tensor loss) {
        Shapes.crossEntropy(logits, targets, weights, loss);
        stream.launch(kernels.get("cross_entropy", "cross_entropy", "pppfip"))
                .grid(targets.length)
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(logits))
                .put(engine.uploads().put(targets))
                .put(engine.uploads().put(weights))
                .put(scale)
                .put((int) logits.columns())
                .put(DeviceStorage.address(loss))
                .run();
    }

    @Override
    public void dropout(Tensor x, double rate, long seed, Tensor y, boolean add) {
        Shapes.dropout(x, rate, y);
        long elements = x.shape().elements();
        stream.launch(kernels.get("optimizer", "dropout", "pldflip"))
                .grid(Kernels.blocks(elements))
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(x))
                .put(elements)
                .put(rate)
                .put((float) (1 / (1 - rate)))
                .put(seed)
                .put(add ? 1 : 0)
                .put(DeviceStorage.address(y))
                .run();
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        return optimizer.sumOfSquares(tensors);
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
        Shapes.adamW(parameter, gradient, m, v);
        optimizer.adamW(parameter, gradient, m, v, step);
    }

    @Override
    public void adamW8(Tensor parameter, Tensor gradient, BlockwiseTensor m, BlockwiseTensor v, AdamWStep step) {
        Shapes.adamW8(parameter, gradient, m, v);
        optimizer.adamW8(parameter, gradient, m, v, step);
    }

    @Override
    public void round(Tensor from, Tensor to, Rounding rounding, long seed) {
        Shapes.round(from, to);
        optimizer.round(from, to, rounding, seed);
    }

    @Override
    public void close() {
        sums.close();
        attention.close();
        optimizer.close();
    }
}
