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

    /** Rounding keeps order, so no other one comes above what the limit comes to. */
    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        float limit = candidates.limit();
        for (Map.Entry<Integer, Float> entry : byId.entrySet()) {
            float bias = entry.getValue();
            if (!(bias < Float.POSITIVE_INFINITY)) {
                return false;
            }
            int at = candidates.indexOf(entry.getKey());
            if (at >= 0) {
                candidates.values()[at] += bias;
            } else {
                candidates.raiseLimit(limit + bias);
            }
        }
        return true;
    }
}
