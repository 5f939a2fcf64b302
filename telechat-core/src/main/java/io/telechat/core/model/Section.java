// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

/**
 * What of a model is leased at once.
 *
 * @param kind which part of it
 * @param layer index of the decoder layer, 0 for the other kinds
 */
public record Section(Kind kind, int layer) {
    public static final Section EMBEDDING = new Section(Kind.EMBEDDING, 0);
    public static final Section HEAD = new Section(Kind.HEAD, 0);

    /** Before, in and behind the layers. */
    public enum Kind {
        EMBEDDING,
        LAYER,
        HEAD
    }

    public static Section layer(int index) {
        return new Section(Kind.LAYER, index);
    }

    /** What is computed behind a layer of so many. */
    public static Section after(int layer, int layers) {
        return layer + 1 < layers ? layer(layer + 1) : HEAD;
    }

    /** What is computed before a layer. */
    public static Section before(int layer) {
        return layer > 0 ? layer(layer - 1) : EMBEDDING;
    }
}
