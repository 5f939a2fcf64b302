// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;

/** A file that holds named tensors. */
sealed interface TensorFile permits SafetensorsFile, PyTorchFile, GgufTensors {
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

    /** Likewise, with an arena for what has to be brought into another form. */
    default Tensor tensor(String name, TensorArena copies) {
        return tensor(name);
    }

    /** The bytes of a tensor in whatever form the file has them, of which nothing is copied that need not be. */
    default MemorySegment bytes(String name) {
        return tensor(name).segment();
    }
}
