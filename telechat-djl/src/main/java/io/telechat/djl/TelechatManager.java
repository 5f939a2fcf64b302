// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Makes arrays in this process's memory. */
class TelechatManager extends BaseNDManager {
    static final TelechatManager SYSTEM = new SystemManager();

    private TelechatManager(NDManager parent, Device device) {
        super(parent, device);
    }

    @Override
    public ByteBuffer allocateDirect(int capacity) {
        return ByteBuffer.allocateDirect(capacity).order(ByteOrder.nativeOrder());
    }

    @Override
    public NDArray from(NDArray array) {
        if (array == null || array instanceof TelechatArray) {
            return array;
        }
        NDArray copy = create(array.toByteBuffer(), array.getShape(), array.getDataType());
        copy.setName(array.getName());
        return copy;
    }

    @Override
    public NDArray create(Buffer data, Shape shape, DataType type) {
        int size = Math.toIntExact(shape.size());
        validateBuffer(data, type, size);
        ByteBuffer copy = allocateDirect(Math.multiplyExact(size, type.getNumOfBytes()));
        copyBuffer(data, copy);
        return new TelechatArray(this, alternativeManager, copy, shape, type);
    }

    /** @param data is taken, not copied */
    TelechatArray over(ByteBuffer data, Shape shape, DataType type) {
        return new TelechatArray(this, alternativeManager, data, shape, type);
    }

    @Override
    public NDManager newSubManager(Device on) {
        TelechatManager child = new TelechatManager(this, on);
        attachInternal(child.uid, child);
        return child;
    }

    @Override
    public Engine getEngine() {
        return Engine.getEngine(TelechatEngine.NAME);
    }

    @Override
    public void close() {
        super.close();
        if (alternativeManager != null) {
            alternativeManager.close();
            alternativeManager = null;
        }
    }

    /** The root, which is never closed. */
    private static final class SystemManager extends TelechatManager implements SystemNDManager {
        SystemManager() {
            super(null, Device.cpu());
        }

        @Override
        public void close() {
            // It lives as long as the program.
        }
    }
}
