// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;

/** A file that holds named tensors. */
sealed interface TensorFile permits SafetensorsFile, PyTorchFile {
    /** What a file says of one tensor. */
    record Info(DType dtype, Shape shape, Path file) {
        public long bytes() {
            return dtype.bytes(shape);
        }
    }

    /** All tensors of the file, in its order. */
    Map<String, Info> tensors();

    /** A tensor over the mapped file where its layout allows, otherwise a copy. */
    Tensor tensor(String name);
}
