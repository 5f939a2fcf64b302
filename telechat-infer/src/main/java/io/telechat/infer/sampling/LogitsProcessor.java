// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

/** One rule that changes logits before a token is drawn. */
@FunctionalInterface
public interface LogitsProcessor {
    /** @param logits [vocab], changed in place; negative infinity means never */
    void apply(float[] logits, TokenHistory history);
}
