// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Storage;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Elements that only ND4J can reach, such as GPU memory under its CUDA backend.
 *
 * @param array row-major ('c' order), of the tensor's shape
 */
record ArrayStorage(INDArray array) implements Storage {
    @Override
    public Storage slice(DType dtype, Shape shape, long from, long to) {
        return new ArrayStorage(array.get(NDArrayIndex.interval(from, to)));
    }

    @Override
    public Storage reshape(Shape shape) {
        return new ArrayStorage(array.reshape('c', shape.toArray()));
    }

    @Override
    public void clear() {
        array.assign(0);
    }

    @Override
    public boolean isHost() {
        return false;
    }
}
