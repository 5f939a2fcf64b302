// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Memory of ND4J's current backend, whichever that is. */
final class ArrayArena implements TensorArena {
    private final List<INDArray> arrays = new ArrayList<>();
    private long bytes;

    @Override
    public synchronized Tensor allocate(DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        INDArray array = Nd4j.create(ArrayView.dataType(dtype), dims, 'c');
        arrays.add(array);
        bytes += dtype.bytes(shape);
        return new Tensor(dtype, shape, new ArrayStorage(array));
    }

    @Override
    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public synchronized void close() {
        arrays.stream().filter(INDArray::closeable).forEach(INDArray::close);
        arrays.clear();
    }
}
