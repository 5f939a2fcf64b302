// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

/**
 * Which weight of a model one is, whoever holds its values: the parameters on lease, their gradients, adapters beside them.
 *
 * @param layer index of the decoder layer; -1 for what is outside of the layers
 * @param part which of that layer's, or of the model's
 */
public record WeightId(int layer, Part part) {
    /** Of a matrix that is no weight of a model, such as one of an adapter's. */
    public static final WeightId NONE = new WeightId(-1, Part.NONE);

    public static final WeightId EMBEDDING = new WeightId(-1, Part.EMBEDDING);
    public static final WeightId EMBEDDING_NORM = new WeightId(-1, Part.EMBEDDING_NORM);
    public static final WeightId FINAL_NORM = new WeightId(-1, Part.FINAL_NORM);
    public static final WeightId HEAD = new WeightId(-1, Part.HEAD);

    /** What a weight does in a decoder. */
    public enum Part {
        EMBEDDING,
        EMBEDDING_NORM,
        ATTN_NORM,
        QKV,
        QUERY_NORM,
        KEY_NORM,
        ATTN_OUT,
        FFN_NORM,
        GATE_UP,
        DOWN,
        FINAL_NORM,
        HEAD,
        NONE
    }
}
