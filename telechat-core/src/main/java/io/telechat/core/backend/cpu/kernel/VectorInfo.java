// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

/** What people want to know of the vectors in use. */
public final class VectorInfo {
    private VectorInfo() {}

    /** Width of a vector in bits. */
    public static int bits() {
        return Lanes.FLOATS.vectorBitSize();
    }
}
