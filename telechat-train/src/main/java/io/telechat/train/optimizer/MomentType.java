// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.ops.BlockwiseTensor;

/** How an optimizer keeps its running means. */
public enum MomentType {
    F32("f32"),
    /** {@link BlockwiseMoments}, but float32 for small tensors, where there is little to save. */
    EIGHT_BIT("8bit");

    /** Elements from which a tensor's means have 8 bits, as in the library of Dettmers et al. 2022 (arXiv:2110.02861). */
    private static final int SMALLEST = 4096;

    private final String name;

    MomentType(String name) {
        this.name = name;
    }

    boolean isBlockwise(long elements) {
        return this == EIGHT_BIT && elements >= SMALLEST;
    }

    /** Bytes of both running means of a tensor. */
    public long bytes(long elements) {
        return 2 * (isBlockwise(elements) ? BlockwiseTensor.bytes(elements) : Float.BYTES * elements);
    }

    /** As on the command line. */
    @Override
    public String toString() {
        return name;
    }
}
