// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.tensor.DType;

/**
 * What {@code torch._utils._rebuild_tensor_v2} is told: a strided view of a storage.
 *
 * @param key member of the archive that holds the storage's bytes
 * @param offset first element, in elements
 * @param strides in elements, one per dimension
 */
record PickledTensor(DType dtype, String key, long offset, long[] dims, long[] strides) {
    boolean isContiguous() {
        long expected = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            if (dims[i] != 1 && strides[i] != expected) {
                return false;
            }
            expected = Math.multiplyExact(expected, dims[i]);
        }
        return true;
    }
}
