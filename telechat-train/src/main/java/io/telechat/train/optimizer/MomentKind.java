// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;

/**
 * One of the tensors that hold a parameter's running means, as files name them.
 *
 * @param dtype F32, or U8 for codes
 * @param elementsPerItem how many elements of the parameter share an item
 */
public record MomentKind(String name, DType dtype, long elementsPerItem) {
    static MomentKind floats(String name) {
        return new MomentKind(name, DType.F32, 1);
    }

    static MomentKind codes(String name) {
        return new MomentKind(name, DType.U8, 1);
    }

    static MomentKind scales(String name) {
        return new MomentKind(name, DType.F32, BlockwiseTensor.BLOCK);
    }

    /** Of the tensor for a parameter of this shape. */
    public Shape shape(Shape parameter) {
        return elementsPerItem == 1 ? parameter : Shape.of(Math.ceilDiv(parameter.elements(), elementsPerItem));
    }
}
