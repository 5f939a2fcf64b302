// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.Set;

/**
 * Ids that would end an answer are not drawn while it is shorter than so many tokens.
 *
 * @param ids that end it
 */
public record MinTokens(int count, Set<Integer> ids) implements LogitsProcessor {
    public MinTokens {
        ids = Set.copyOf(ids);
    }

    @Override
    public void apply(float[] logits, TokenHistory history) {
        if (history.generated() < count) {
            ids.forEach(id -> logits[id] = Float.NEGATIVE_INFINITY);
        }
    }

    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        if (history.generated() < count) {
            for (int id : ids) {
                int at = candidates.indexOf(id);
                if (at >= 0) {
                    candidates.values()[at] = Float.NEGATIVE_INFINITY;
                }
            }
        }
        return true;
    }
}
