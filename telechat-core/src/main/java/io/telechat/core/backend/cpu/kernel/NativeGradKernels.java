// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The kernels of training in C (src/main/native), of the instruction set of the {@link NativeKernels} they go through. */
record NativeGradKernels(NativeKernels library, int sliver, boolean multipliesPairs) implements GradKernels {
    private static long bits(float value) {
        return Float.floatToRawIntBits(value);
    }

    NativeGradKernels(NativeKernels library) {
        this(
                library,
                (int) library.call(NativeFunction.SLIVER_COLUMNS),
                library.has(NativeFunction.PACKED_STEPS, PackedForm.PAIRS.ordinal(), 0));
    }

    @Override
    public long attendBackwardScratch(long count, long headDim) {
        return library.call(NativeFunction.ATTEND_BACKWARD_SCRATCH, count, headDim);
    }

    @Override
    public long packedSteps(PackedForm form, long depth) {
        return library.call(NativeFunction.PACKED_STEPS, form.ordinal(), depth);
    }

    @Override
    public void packMatrix(PackedForm form, Right b, long depth, long columns, MemorySegment to) {
        library.call(
                NativeFunction.PACK_MATRIX,
                form.ordinal(),
                NativeKernels.number(b.type()),
                b.first().address(),
                b.stride(),
                b.transposed() ? 1 : 0,
                depth,
                columns,
                to.address());
    }

    @Override
    public void matrixProduct(
            PackedForm form, Left a, MemorySegment packed, long columns, MemorySegment c, long stride, boolean add) {
        library.call(
                NativeFunction.MATRIX_PRODUCT,
                form.ordinal(),
                a.first().address(),
                NativeKernels.number(a.type()),
                a.rowStride(),
                a.step(),
                a.rows(),
                packed.address(),
                a.depth(),
                columns,
                c.address(),
                stride,
                add ? 1 : 0);
    }

    @Override
    public void widenRows(DType type, Rows from, Rows to, long rows, long columns) {
        move(NativeFunction.WIDEN_ROWS, type, from, to, rows, columns);
    }

    @Override
    public void narrowRows(DType type, Rows from, Rows to, long rows, long columns) {
        move(NativeFunction.NARROW_ROWS, type, from, to, rows, columns);
    }

    private void move(NativeFunction function, DType type, Rows from, Rows to, long rows, long columns) {
        library.call(
                function,
                NativeKernels.number(type),
                from.first().address(),
                from.stride(),
                to.first().address(),
                to.stride(),
                rows,
                columns);
    }

    @Override
    public void rmsNormBackward(NormRows rows, MemorySegment dWeight, long count, long columns) {
        library.call(
                NativeFunction.RMS_NORM_BACKWARD,
                rows.x().address(),
                rows.weight().address(),
                rows.rstd().address(),
                rows.dy().address(),
                rows.residual().address(),
                rows.dx().address(),
                dWeight.address(),
                count,
                columns);
    }

    @Override
    public void columnSums(MemorySegment from, long stride, long rows, long columns, MemorySegment to) {
        library.call(NativeFunction.COLUMN_SUMS, from.address(), stride, rows, columns, to.address());
    }

    @Override
    public void swiGluBackward(
            MemorySegment gateUp, MemorySegment dOut, MemorySegment dGateUp, long rows, long columns) {
        library.call(
                NativeFunction.SWIGLU_BACKWARD, gateUp.address(), dOut.address(), dGateUp.address(), rows, columns);
    }

    @Override
    public void attendBackward(AttentionHead head, long count, int group, int headDim, MemorySegment scratch) {
        library.call(
                NativeFunction.ATTEND_BACKWARD,
                head.query().address(),
                head.key().address(),
                head.value().address(),
                head.stride(),
                count,
                group,
                headDim,
                head.out().address(),
                head.dOut().address(),
                head.outStride(),
                head.lse().address(),
                head.lseStride(),
                head.dQuery().address(),
                head.dKey().address(),
                head.dValue().address(),
                scratch.address());
    }

    @Override
    public void crossEntropy(
            MemorySegment logits,
            MemorySegment targets,
            MemorySegment weights,
            float scale,
            MemorySegment loss,
            long rows,
            long columns) {
        library.call(
                NativeFunction.CROSS_ENTROPY,
                logits.address(),
                targets.address(),
                weights.address(),
                bits(scale),
                loss.address(),
                rows,
                columns);
    }

    @Override
    public double sumOfSquares(MemorySegment x, long count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sum = arena.allocate(JAVA_DOUBLE);
            library.call(NativeFunction.SUM_OF_SQUARES, x.address(), count, sum.address());
            return sum.get(JAVA_DOUBLE, 0);
        }
    }

    @Override
    public void adamW(
            MemorySegment parameter,
            MemorySegment gradient,
            MemorySegment m,
            MemorySegment v,
            long count,
            AdamWStep step) {
        library.call(
                NativeFunction.ADAMW,
                parameter.address(),
                gradient.address(),
                m.address(),
                v.address(),
                count,
                bits(step.rate()),
                bits(step.beta1()),
                bits(step.beta2()),
                bits(step.epsilon()),
                bits(step.decay()),
                bits(step.gradientScale()),
                bits(step.correction1()),
                bits(step.correction2()));
    }
}
