// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.DType;
import java.lang.foreign.MemorySegment;

/** The inner loops of training, in one body per {@link KernelTier}, as {@link Kernels} has those of inference. */
public interface GradKernels {
    /** Columns of B that are packed together; what is packed is padded with zeros to whole slivers. */
    int sliver();

    /** Whether matrices can be packed as {@link PackedForm#PAIRS}. */
    boolean multipliesPairs();

    /** Steps of a packed matrix, each of which takes four bytes of every column. */
    long packedSteps(PackedForm form, long depth);

    /**
     * A matrix whose rows lie {@code stride} elements apart.
     *
     * @param type F32, F16 or BF16
     * @param transposed whether its rows are the columns of what is meant
     */
    record Right(DType type, MemorySegment first, long stride, boolean transposed) {}

    /** Packs a matrix B [depth, columns] into slivers of {@link #sliver} columns. */
    void packMatrix(PackedForm form, Right b, long depth, long columns, MemorySegment to);

    /**
     * A matrix [rows, depth] whose element (r, i) lies {@code r·rowStride + i·step} elements from the first; one of the two is 1.
     *
     * @param type F32 or BF16
     * @param first the memory from its first element on
     */
    record Left(DType type, MemorySegment first, long rowStride, long step, long rows, long depth) {}

    /**
     * {@code C (+)= A · B}; the sum runs over the depth in order, so it does not depend on how rows and columns are split.
     *
     * @param form of B, which A is brought into
     * @param packed B, as {@link #packMatrix} left it
     * @param c [rows, columns], rows {@code stride} floats apart
     */
    void matrixProduct(
            PackedForm form, Left a, MemorySegment packed, long columns, MemorySegment c, long stride, boolean add);

    /**
     * Some rows of a matrix.
     *
     * @param first the memory from the first element on
     * @param stride elements from one row to the next
     */
    record Rows(MemorySegment first, long stride) {}

    /**
     * {@code to = from} as floats.
     *
     * @param type of {@code from}: F32, F16 or BF16
     */
    void widenRows(DType type, Rows from, Rows to, long rows, long columns);

    /**
     * {@code to = from}, rounded to nearest even.
     *
     * @param type of {@code to}: F32 or BF16
     */
    void narrowRows(DType type, Rows from, Rows to, long rows, long columns);

    /** As {@link io.telechat.core.ops.GradOps#rmsNormBackward} for some rows; adds to {@code dWeight}. */
    void rmsNormBackward(NormRows rows, MemorySegment dWeight, long count, long columns);

    /** The rows of a norm's gradient. */
    record NormRows(
            MemorySegment x,
            MemorySegment weight,
            MemorySegment rstd,
            MemorySegment dy,
            MemorySegment residual,
            MemorySegment dx) {}

    /** {@code to[i] += Σ_r from[r, i]}; rows lie {@code stride} floats apart. */
    void columnSums(MemorySegment from, long stride, long rows, long columns, MemorySegment to);

    /** As {@link io.telechat.core.ops.GradOps#swiGluBackward} for some rows. */
    void swiGluBackward(MemorySegment gateUp, MemorySegment dOut, MemorySegment dGateUp, long rows, long columns);

    /**
     * One key/value head of a sequence, and the query heads that share it.
     *
     * @param query of the first token and head; key and value likewise; rows {@code stride} floats apart
     * @param out of the first token and head; dOut likewise; rows {@code outStride} floats apart
     * @param lse rows {@code lseStride} floats apart
     * @param dQuery rows {@code stride} floats apart; dKey and dValue likewise
     */
    record AttentionHead(
            MemorySegment query,
            MemorySegment key,
            MemorySegment value,
            long stride,
            MemorySegment out,
            MemorySegment dOut,
            long outStride,
            MemorySegment lse,
            long lseStride,
            MemorySegment dQuery,
            MemorySegment dKey,
            MemorySegment dValue) {}

    /** As {@link io.telechat.core.ops.GradOps#attentionBackward}. */
    void attendBackward(AttentionHead head, long count, int group, int headDim, MemorySegment scratch);

    /** Floats of scratch that {@link #attendBackward} needs. */
    long attendBackwardScratch(long count, long headDim);

    /**
     * As {@link io.telechat.core.ops.GradOps#crossEntropy} for some rows.
     *
     * @param targets ints
     * @param weights floats
     */
    void crossEntropy(
            MemorySegment logits,
            MemorySegment targets,
            MemorySegment weights,
            float scale,
            MemorySegment loss,
            long rows,
            long columns);

    /** Of some thousands of floats. */
    double sumOfSquares(MemorySegment x, long count);

    /** As {@link io.telechat.core.ops.GradOps#adamW}. */
    void adamW(
            MemorySegment parameter,
            MemorySegment gradient,
            MemorySegment m,
            MemorySegment v,
            long count,
            AdamWStep step);
}
