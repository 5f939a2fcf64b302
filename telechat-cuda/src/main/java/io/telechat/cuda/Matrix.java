// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.tensor.Tensor;

/**
 * Where a matrix is on a GPU.
 *
 * @param pitch elements from one row to the next; of a quantized matrix, its columns
 */
record Matrix(long address, long pitch) {
    static Matrix of(Tensor tensor) {
        return new Matrix(DeviceStorage.address(tensor), DeviceStorage.pitch(tensor));
    }

    /** The same rows from a later column on. */
    Matrix plus(long bytes) {
        return new Matrix(address + bytes, pitch);
    }

    /** Whether each row begins at a multiple of so many bytes. */
    boolean isAligned(int bytes, int elementBytes) {
        return address % bytes == 0 && pitch * elementBytes % bytes == 0;
    }
}
