// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import io.telechat.core.tensor.Tensor;

/**
 * What a {@link Communicator} does with tensors in the memory of devices: the same operations, to the same bits. Each returns when
 * it has its place in the order of the device's work, behind which what is computed with the tensors comes.
 *
 * <p>All operations, and waiting for a device that carries one out, end with a {@link RankException} when another rank has failed, or
 * does not come.
 */
public interface DeviceCollectives {
    /** @param values F32 */
    void allReduce(Tensor values);

    /** @param part may lie in its place of {@code all} */
    void allGather(Tensor part, Tensor all);

    /**
     * @param all F32
     * @param part F32, may lie in its place of {@code all}
     * @param add whether to add to what is in {@code part}
     */
    void reduceScatter(Tensor all, Tensor part, boolean add);

    /** @param all on the first rank only */
    void gather(Tensor part, Tensor all);

    void broadcast(Tensor values, int root);
}
