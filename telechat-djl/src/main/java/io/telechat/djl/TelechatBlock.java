// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractSymbolBlock;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import ai.djl.util.passthrough.PassthroughNDArray;
import io.telechat.core.tensor.Tensor;
import io.telechat.infer.ChatModel;
import io.telechat.infer.Context;
import io.telechat.infer.PassObserver;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** What a predictor calls: chats go through it as objects, ids as arrays. */
final class TelechatBlock extends AbstractSymbolBlock {
    private final ChatModel model;

    TelechatBlock(ChatModel model) {
        this.model = model;
    }

    /** What a translator wants computed. */
    interface Task {
        Object run(ChatModel model);
    }

    static NDList wrap(Object object) {
        return new NDList(new PassthroughNDArray(object));
    }

    static Object unwrap(NDList list) {
        return ((PassthroughNDArray) list.singletonOrThrow()).getObject();
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore parameters, NDList inputs, boolean training, PairList<String, Object> options) {
        NDArray input = inputs.singletonOrThrow();
        return input instanceof PassthroughNDArray wrapped
                ? wrap(((Task) wrapped.getObject()).run(model))
                : new NDList(logits(input));
    }

    /** @param ids [n] or [1, n], int32 or int64; gives [n, vocab] */
    private NDArray logits(NDArray ids) {
        int[] tokens = tokens(ids);
        int vocab = model.info().vocabSize();
        ByteBuffer all = ByteBuffer.allocateDirect(Math.multiplyExact(4, Math.multiplyExact(tokens.length, vocab)))
                .order(ByteOrder.nativeOrder());
        try (Context context = model.newContext()) {
            model.observe(tokens, context, new PassObserver() {
                @Override
                public void logits(int firstRow, Tensor logits) {
                    all.asFloatBuffer().put(firstRow * vocab, logits.toFloats());
                }
            });
        }
        NDArray array = TelechatManager.SYSTEM.over(all, new Shape(tokens.length, vocab), DataType.FLOAT32);
        array.attach(ids.getManager());
        return array;
    }

    private static int[] tokens(NDArray ids) {
        long[] shape = ids.getShape().getShape();
        if (shape.length == 0 || shape.length > 2 || shape.length == 2 && shape[0] != 1) {
            throw new IllegalArgumentException("ids have the shape " + ids.getShape() + ", must be (n) or (1, n)");
        }
        return switch (ids.getDataType()) {
            case INT32 -> ids.toIntArray();
            case INT64 ->
                Arrays.stream(ids.toLongArray()).mapToInt(Math::toIntExact).toArray();
            default -> throw new IllegalArgumentException("ids are " + ids.getDataType() + ", must be int32 or int64");
        };
    }

    @Override
    public boolean isInitialized() {
        return true;
    }

    /** None that DJL could see. */
    @Override
    public ParameterList getDirectParameters() {
        return new ParameterList();
    }

    @Override
    public PairList<String, Shape> describeInput() {
        return new PairList<>();
    }

    @Override
    public PairList<String, Shape> describeOutput() {
        return new PairList<>();
    }
}
