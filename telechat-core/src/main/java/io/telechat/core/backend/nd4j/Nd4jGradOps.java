// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import static io.telechat.core.backend.nd4j.ArrayView.array;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Rounding;
import io.telechat.core.ops.Shapes;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Every formula as it is written in {@link GradOps}, in plain ND4J. */
final class Nd4jGradOps implements GradOps {
    /** Squares that are added up one after the other: few enough that ND4J does not share them among threads. */
    private static final int RUN = 512;

    @Override
    public void embedBackward(int[] tokens, Tensor dOut, float scale, Tensor dTable) {
        Shapes.embed(tokens, Weight.of(dTable), dOut);
        INDArray scaled = array(dOut).mul(scale);
        INDArray table = array(dTable);
        for (int t = 0; t < tokens.length; t++) {
            table.getRow(tokens[t]).addi(scaled.getRow(t));
        }
    }

    @Override
    public void rmsNormBackward(
            Tensor x, Tensor weight, Tensor rstd, Tensor dy, Tensor residual, Tensor dx, Tensor dWeight) {
        Shapes.rmsNormBackward(x, weight, rstd, dy, residual, dx, dWeight);
        INDArray scale = array(rstd).reshape('c', x.rows(), 1);
        INDArray normed = array(x).mulColumnVector(scale);
        INDArray g = array(dy).mulRowVector(array(weight));
        INDArray mean = g.mul(normed).mean(true, 1);
        add(dWeight, array(dy).mul(normed).sum(0));
        INDArray throughNorm = g.subi(normed.muliColumnVector(mean)).muliColumnVector(scale);
        array(dx).assign(throughNorm.addi(array(residual)));
    }

    @Override
    public void linearInputGrad(Tensor dy, Weight w, Tensor dx, boolean add) {
        Shapes.linear(dx, w, dy);
        INDArray sum = add ? array(dx).dup('c') : Nd4j.create(DataType.FLOAT, dx.rows(), dx.columns());
        long column = 0;
        for (Weight.Block block : w.blocks()) {
            sum.addi(Nd4j.gemm(columns(dy, column, block.rows()), array(block.matrix()), false, false));
            column += block.rows();
        }
        array(dx).assign(sum);
    }

    @Override
    public void linearWeightGrad(Tensor x, Tensor dy, Weight dW) {
        Shapes.linearWeightGrad(x, dy, dW);
        long column = 0;
        for (Weight.Block block : dW.blocks()) {
            INDArray part = columns(dy, column, block.rows());
            add(block.matrix(), Nd4j.gemm(part, array(x), true, false));
            block.bias().ifPresent(bias -> add(bias, part.sum(0)));
            column += block.rows();
        }
    }

    /** A copy of some columns. */
    private static INDArray columns(Tensor x, long first, long count) {
        INDArray view = array(x).get(all(), interval(first, first + count));
        return view.dup('c').reshape('c', x.rows(), count);
    }

    private static void add(Tensor sum, INDArray part) {
        array(sum).addi(part.reshape('c', sum.shape().toArray()));
    }

    @Override
    public void ropeBackward(Tensor dQkv, HeadLayout heads, Batch batch) {
        Nd4jOps.turn(dQkv, heads, batch, -1);
    }

    @Override
    public void attentionBackward(
            Tensor qkv, Tensor out, Tensor lse, Tensor dOut, HeadLayout heads, Batch batch, Tensor dQkv) {
        Shapes.attentionBackward(qkv, out, lse, dOut, heads, batch, dQkv);
        for (Batch.Span span : batch.spans()) {
            INDArray rows = Nd4jOps.rows(qkv, span);
            INDArray dRows = Nd4jOps.rows(dOut, span);
            // Of a row and query head: Σ dOut · out, and the logarithm of the softmax's denominator.
            INDArray products = Nd4jOps.rows(out, span).muli(dRows);
            INDArray denominators = Nd4jOps.rows(lse, span);
            INDArray mask = Nd4jOps.causalMask(0, span.count());
            double scale = 1 / Math.sqrt(heads.headDim());
            INDArray[] gradients = new INDArray[heads.heads() + 2 * heads.kvHeads()];
            for (int head = 0; head < heads.heads(); head++) {
                int key = heads.heads() + head / heads.groupSize();
                int value = key + heads.kvHeads();
                INDArray q = Nd4jOps.head(rows, heads, head);
                INDArray k = Nd4jOps.head(rows, heads, key);
                INDArray v = Nd4jOps.head(rows, heads, value);
                INDArray dHead = Nd4jOps.head(dRows, heads, head);
                INDArray denominator =
                        CacheViews.floats(denominators.get(all(), interval(head, head + 1)), span.count(), 1);
                INDArray scores = q.mmul(k.transpose()).muli(scale).addi(mask);
                INDArray p = Transforms.exp(scores.subiColumnVector(denominator), false);
                INDArray delta = Nd4jOps.head(products, heads, head).sum(true, 1);
                INDArray dScores = dHead.mmul(v.transpose())
                        .subiColumnVector(delta)
                        .muli(p)
                        .muli(scale);
                gradients[head] = dScores.mmul(k);
                gradients[key] = sum(gradients[key], dScores.transpose().mmul(q));
                gradients[value] = sum(gradients[value], p.transpose().mmul(dHead));
            }
            CacheViews.assign(
                    array(dQkv).get(interval(span.first(), span.first() + span.count()), all()),
                    Nd4j.concat(1, gradients));
        }
    }

    private static INDArray sum(INDArray soFar, INDArray part) {
        return soFar == null ? part : soFar.addi(part);
    }

    @Override
    public void swiGluBackward(Tensor gateUp, Tensor dOut, Tensor dGateUp) {
        Shapes.swiGluBackward(gateUp, dOut, dGateUp);
        long width = dOut.columns();
        INDArray gate = columns(gateUp, 0, width);
        INDArray up = columns(gateUp, width, width);
        INDArray s = Transforms.sigmoid(gate);
        INDArray slope = s.rsub(1).muli(gate).addi(1).muli(s);
        INDArray dGate = slope.muli(up).muli(array(dOut));
        INDArray dUp = gate.muli(s).muli(array(dOut));
        array(dGateUp).assign(Nd4j.concat(1, dGate, dUp));
    }

    @Override
    public void crossEntropy(Tensor logits, int[] targets, float[] weights, float scale, Tensor loss) {
        Shapes.crossEntropy(logits, targets, weights, loss);
        INDArray scores = array(logits).mul(scale);
        scores.subiColumnVector(scores.max(true, 1));
        INDArray softmax = Transforms.exp(scores, true);
        INDArray sum = softmax.sum(true, 1);
        softmax.diviColumnVector(sum);
        INDArray ofTargets = Nd4j.create(DataType.FLOAT, targets.length, 1);
        INDArray oneHot = Nd4j.create(DataType.FLOAT, targets.length, logits.columns());
        for (int t = 0; t < targets.length; t++) {
            ofTargets.putScalar(t, 0, scores.getFloat(t, targets[t]));
            oneHot.putScalar(t, targets[t], 1);
        }
        INDArray losses = Transforms.log(sum).subi(ofTargets);
        array(loss).assign(losses.reshape('c', loss.shape().toArray()));
        INDArray factors = Nd4j.createFromArray(weights).muli(scale).reshape('c', targets.length, 1);
        array(logits).assign(softmax.subi(oneHot).muliColumnVector(factors));
    }

    @Override
    public void dropout(Tensor x, double rate, long seed, Tensor y, boolean add) {
        Shapes.dropout(x, rate, y);
        float[] mask = new float[Math.toIntExact(x.shape().elements())];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = SplitMix.uniform(seed, i) < rate ? 0 : (float) (1 / (1 - rate));
        }
        long[] shape = x.shape().toArray();
        INDArray dropped = array(x).mul(Nd4j.createFromArray(mask).reshape('c', shape));
        CacheViews.assign(array(y), add ? array(y).add(dropped) : dropped);
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        double sum = 0;
        for (Tensor tensor : tensors) {
            sum += sumOfSquares(tensor);
        }
        return sum;
    }

    /** The sums of runs of fixed length, added in order. */
    private static double sumOfSquares(Tensor x) {
        long elements = x.shape().elements();
        long whole = elements / RUN * RUN;
        INDArray flat = array(x).dup('c').reshape(elements);
        return squares(flat, 0, whole, RUN) + squares(flat, whole, elements, elements - whole);
    }

    private static double squares(INDArray flat, long from, long to, long run) {
        if (from == to) {
            return 0;
        }
        INDArray runs = flat.get(interval(from, to)).castTo(DataType.DOUBLE).reshape('c', (to - from) / run, run);
        double sum = 0;
        for (double part : runs.muli(runs).sum(1).toDoubleVector()) {
            sum += part;
        }
        return sum;
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
        Shapes.adamW(parameter, gradient, m, v);
        long[] shape = parameter.shape().toArray();
        INDArray p = array(parameter);
        INDArray g = array(gradient).mul(step.gradientScale()).reshape('c', shape);
        INDArray mean = array(m).mul(step.beta1()).reshape('c', shape).addi(g.mul(1 - step.beta1()));
        INDArray square =
                array(v).mul(step.beta2()).reshape('c', shape).addi(g.mul(g).muli(1 - step.beta2()));
        INDArray deviation = Transforms.sqrt(square.mul(step.correction2())).addi(step.epsilon());
        INDArray change = mean.mul(step.correction1()).divi(deviation).addi(p.mul(step.decay()));
        CacheViews.assign(array(m), mean);
        CacheViews.assign(array(v), square);
        p.subi(change.muli(step.rate()));
    }

    /** The blocks are decoded and encoded one by one; what lies between is {@link #adamW}. */
    @Override
    public void adamW8(Tensor parameter, Tensor gradient, BlockwiseTensor m, BlockwiseTensor v, AdamWStep step) {
        Shapes.adamW8(parameter, gradient, m, v);
        try (ArrayArena arena = new ArrayArena()) {
            Tensor mean = arena.allocate(DType.F32, parameter.shape().toArray());
            Tensor square = arena.allocate(DType.F32, parameter.shape().toArray());
            decode(m, mean);
            decode(v, square);
            adamW(parameter, gradient, mean, square, step);
            encode(mean, m);
            encode(square, v);
        }
    }

    private static void decode(BlockwiseTensor from, Tensor to) {
        byte[] codes =
                bytes(array(from.codes()).castTo(DataType.INT32).dup('c').data().asInt());
        float[] scales = array(from.scales()).dup('c').data().asFloat();
        float[] values = new float[codes.length];
        for (int first = 0; first < codes.length; first += BlockwiseTensor.BLOCK) {
            int end = Math.min(codes.length, first + BlockwiseTensor.BLOCK);
            float[] block = new float[BlockwiseTensor.BLOCK];
            from.decode(
                    Arrays.copyOfRange(codes, first, end), scales[first / BlockwiseTensor.BLOCK], block, end - first);
            System.arraycopy(block, 0, values, first, end - first);
        }
        array(to).assign(Nd4j.createFromArray(values).reshape('c', to.shape().toArray()));
    }

    private static void encode(Tensor from, BlockwiseTensor to) {
        float[] values = array(from).dup('c').data().asFloat();
        int[] codes = new int[values.length];
        float[] scales = new float[Math.toIntExact(BlockwiseTensor.blocks(values.length))];
        for (int first = 0; first < values.length; first += BlockwiseTensor.BLOCK) {
            int end = Math.min(values.length, first + BlockwiseTensor.BLOCK);
            byte[] block = new byte[BlockwiseTensor.BLOCK];
            scales[first / BlockwiseTensor.BLOCK] =
                    to.encode(Arrays.copyOfRange(values, first, end), block, end - first);
            for (int i = first; i < end; i++) {
                codes[i] = block[i - first] & 0xff;
            }
        }
        long[] shape = to.codes().shape().toArray();
        array(to.codes()).assign(Nd4j.createFromArray(codes).reshape('c', shape).castTo(DataType.UINT8));
        array(to.scales()).assign(Nd4j.createFromArray(scales));
    }

    private static byte[] bytes(int[] values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @Override
    public void round(Tensor from, Tensor to, Rounding rounding, long seed) {
        Shapes.round(from, to);
        float[] values = array(from).dup('c').data().asFloat();
        for (int i = 0; i < values.length; i++) {
            values[i] = Tensor.bf16ToFloat(rounding.bf16(values[i], seed, i));
        }
        CacheViews.assign(
                array(to), Nd4j.createFromArray(values).reshape('c', to.shape().toArray()));
    }
}
