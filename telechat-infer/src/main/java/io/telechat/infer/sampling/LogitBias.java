// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.Map;

/** Adds to the logits of some ids (as the OpenAI API defines it). */
public record LogitBias(Map<Integer, Float> byId) implements LogitsProcessor {
    public LogitBias {
        byId = Map.copyOf(byId);
    }

    @Override
    public void apply(float[] logits, TokenHistory history) {
        byId.forEach((id, bias) -> logits[id] += bias);
    }
}
