// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

/** One rule that changes logits before a token is drawn. */
@FunctionalInterface
public interface LogitsProcessor {
    /** @param logits [vocab], changed in place; negative infinity means never */
    void apply(float[] logits, TokenHistory history);

    /**
     * Does the same to the highest logits alone: the values become, bit by bit, what they would be in the row, and the limit so
     * high that no other logit of that row is above.
     *
     * @return false if that cannot be done without the others; the candidates are worthless then
     */
    default boolean apply(Candidates candidates, TokenHistory history) {
        return false;
    }
}
